"""How invented tools are named, described and asked for: one phrase a line.

{v} and {V} are the verb, {t} and {T} the thing it is done to, {n} a noun or a name; in mentions {v} is the value.
"""


def lines(text: str) -> tuple[str, ...]:
    return tuple(line.strip() for line in text.strip().splitlines())


ARTICLES = ("the", "the", "a", "a", "my", "our", "this", "any", "")

LOOKS = lines("""
    What is {t}
    Show me {t}
    Tell me {t}
    I want to know {t}
    How is {t}
    Find {t}
    {T}
    Any news of {t}
    Where is {t}
    Is there {t}
    I want {t}
    Give me {t}
    Looking for {t}
    We would love {t}
    Is {t} there
""")

ORDERS = lines("""
    {V} {t}
    {V} {t}
    Please {v} {t}
    Can you {v} {t}
    Could you {v} {t}
    I need to {v} {t}
    I want you to {v} {t}
    I'd like to {v} {t}
    Time to {v} {t}
    We have to {v} {t}
    {T} to {v}
    Help me {v} {t}
    {V}
    {V}
    {T}
    {T}, please
    I need {t}
    {T}: {v} it
    Let us {v} {t}
""")

# orders that name the thing
THINGS = tuple(phrase for phrase in ORDERS if "{t}" in phrase or "{T}" in phrase)

TAILS = lines("""
    to {v} {t}
    in {t}
    in {t}
    for me
    if you can
    on my list
    and {v} it
    now
    to {t}
    from {t}
    as usual
    into {t}
""")

OPENINGS = ("Hi!", "Hello,", "Hey,", "Good day!", "Now:", "Next:", "Thanks.", "So:")
ENDINGS = ("Thanks!", "Thank you.", "It is for tomorrow.", "I am in a hurry.", "Be quick.")
FIRST = ("I am {}.", "We are {}.", "It should be {}.", "Somebody asked me {};", "This is {}.")
APART = ("It is {}.", "Make it {}.", "I mean {}.", "That is {}.")

PLAIN = ("with {n} {v}", "{n} {v}", "with {v} as the {n}", "{n}: {v}", "and {n} {v}", "using {v} as {n}")

LOOK_NAMES = ("get_{n}", "{n}_info", "{n}_lookup", "fetch_{n}", "{n}")
ORDER_NAMES = ("{v}_{n}", "{v}_{n}", "{v}_{n}", "{v}_{n}", "{v}_{n}", "{n}_{v}", "{v}", "{v}_a_{n}", "{n}.{v}")
LOOK_DESCRIPTIONS = (
    "Get the {n}.",
    "Look up the {n}",
    "Returns the {n}",
    "The {n} right now",
    "Find out about the {n}.",
)
ORDER_DESCRIPTIONS = lines("""
    {V} a {n}.
    {V} a {n}
    {V} the {n} for the user.
    Use this to {v} a {n}.
    Ask somebody to {v} the {n}
    {V} one {n}
""")

OTHERS = (" or {n}.", ", also known as {n}", " and {n}.", ", for the {n}", " (or a {n})")

CHOICES = (
    "in {v}",
    "in {v} {n}",
    "{v}",
    "make it {v}",
    "as {v}",
    "the {v} one",
    "by {v}",
    "with the {v} {n}",
    "{v} {n}",
)
SEVERAL = ("with {v}", "for {v}", "{n} {v}")

PAIRS = lines("""
    from {a} to {b}
    from {a} to {b}
    {a} to {b}
    from {a} into {b}
    out of {a} into {b}
    starting with {a} and ending with {b}
""")

MEASURED = lines("""
    {n} {a} to {b}
    {n} {a} as {b}
    {n} {a}, but in {b}
    In {b}, what are {n} {a}
    How much {b} for {n} {a}
    {n} from {a} to {b}
    {n} {a} against {b}
    What are {n} {a} if counted in {b}
    {n} of {a} into {b}
    {n} {a} in {b}
    How many {b} are in {n} {a}
    {n} {a} equals how many {b}
    I paid {n} {a}; say it in {b}
    The sign reads {n} {a}. Make that {b}
    {n} {a} written in {b}
""")
