"""What the people of the demo dataset talk about: cities, currencies, units, occasions, errands, small talk."""

from random import Random

from dfgui.models.demo.lists import read

LISTS = read("people.txt")
CITIES, CUISINES, FIRST, LAST = LISTS["cities"], LISTS["cuisines"], LISTS["first"], LISTS["last"]
HOSTS, SITES, CHORES = LISTS["hosts"], LISTS["sites"], LISTS["chores"]

# what one US dollar buys, rounded, so that the dataset's answers make sense
CURRENCIES = {
    "USD": 1, "EUR": 0.92, "GBP": 0.79, "JPY": 150, "CHF": 0.88, "CAD": 1.37, "AUD": 1.52, "SEK": 10.5, "NOK": 10.8,
    "DKK": 6.9, "PLN": 4, "CZK": 23, "INR": 84, "BRL": 5.5, "MXN": 18, "ZAR": 18.5, "KRW": 1360, "TRY": 34,
    "NZD": 1.65, "SGD": 1.34,
}  # fmt: skip

# families of units, and how many of the first one each is
UNITS = (
    {"meters": 1, "miles": 1609.34, "kilometers": 1000, "feet": 0.3048, "inches": 0.0254, "yards": 0.9144},
    {"kilograms": 1, "pounds": 0.45359, "grams": 0.001, "ounces": 0.02835, "stones": 6.35},
    {"liters": 1, "gallons": 3.7854, "pints": 0.4732, "cups": 0.24, "milliliters": 0.001},
    {"hours": 1, "seconds": 1 / 3600, "days": 24, "weeks": 168},
)


def occasion(rng: Random) -> str:
    """A title: "budget review", "tennis lesson with Priya"."""
    title = f"{pick(rng, 'kinds')} {pick(rng, 'meetings')}"
    return f"{title} with {rng.choice(FIRST)}" if rng.random() < 0.35 else title


def day(rng: Random) -> str:
    return f"{rng.choice((2026, 2027))}-{rng.randint(1, 12):02d}-{rng.randint(1, 28):02d}"


def hour(rng: Random) -> str:
    return f"{rng.randint(7, 21):02d}:{rng.choice(('00', '15', '30', '45'))}"


def address(rng: Random) -> str:
    first, last = rng.choice(FIRST).lower(), rng.choice(LAST).lower()
    user = rng.choice((first, f"{first}.{last}", f"{first}{rng.randint(2, 99)}", f"{first[0]}.{last}", last))
    return f"{user}@{rng.choice(HOSTS)}"


def subject(rng: Random) -> str:
    turn = pick(rng, "turns")
    return f"{pick(rng, 'matters')} {turn}".strip()


def line(rng: Random) -> str:
    return f"{pick(rng, 'lines')} {pick(rng, 'ends')}".strip()


def topic(rng: Random) -> str:
    return f"{pick(rng, 'subjects')} {pick(rng, 'scopes')}" if rng.random() < 0.8 else pick(rng, "subjects")


def chore(rng: Random) -> str:
    return rng.choice(CHORES)


def pick(rng: Random, name: str) -> str:
    return rng.choice(LISTS[name])
