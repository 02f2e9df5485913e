"""How people ask the demo's tools: one question a line, the letters in braces standing for what tools.py puts in."""

GET_WEATHER = """
What's the weather in {c}{d}{u}?
What is the weather like in {c}{d}{u}?
How is the weather in {c}{d}{u}?
Weather in {c}{d}{u}
Tell me the weather for {c}{d}{u}.
How warm is it in {c}{d}{u}?
Is it raining in {c}{d}{u}?
Do I need a coat in {c}{d}{u}?
I am flying to {c}. What is the weather there{d}{u}?
Check the weather in {c}{d}{u}, please.
Will it be sunny in {c}{d}{u}?
{c} weather{d}{u}
Give me the forecast for {c}{d}{u}.
""".strip().splitlines()

CONVERT_CURRENCY = """
Convert {n} {f} to {t}.
How much is {n} {f} in {t}?
What is {n} {f} in {t}?
Change {n} {f} into {t}, please.
How many {t} do I get for {n} {f}?
I have {n} {f}. What is that in {t}?
{n} {f} to {t}
Exchange {n} {f} for {t}.
What would {n} {f} be worth in {t}?
Can you convert {n} {f} into {t}?
My hotel costs {n} {f}. How much is that in {t}?
I want to swap {n} {f} for {t}.
A friend owes me {n} {f}; tell me the amount in {t}.
""".strip().splitlines()

CREATE_EVENT = """
Put {w} in my calendar on {d} at {h}{l}.
Schedule {w} for {d} at {h}{l}.
Add {w} to my calendar on {d} at {h}{l}.
Create an event called {w} on {d} at {h}{l}.
Book {w} on {d} at {h}{l}, please.
Can you plan {w} for {d} at {h}{l}?
I have {w} on {d} at {h}{l}. Add it to the calendar.
New event: {w}, {d} at {h}{l}
Block {d} at {h} for {w}{l}.
Please set up {w} at {h} on {d}{l}.
Calendar: {w} at {h} on {d}{l}
Make an appointment named {w} for {d}, {h}{l}.
""".strip().splitlines()

SEND_EMAIL = """
Send an email to {t} about {s}{b}.
Email {t} about {s}{b}.
Write to {t} with the subject {s}{b}.
Send {t} an email with the subject {s}{b}.
Please email {t}, subject {s}{b}.
Mail {t} about {s}{b}, please.
Can you send a mail to {t} with the subject "{s}"{b}?
Write an email to {t} titled "{s}"{b}.
Drop {t} a mail about {s}{b}.
I need to send {t} an email about {s}{b}.
Let {t} know by email about {s}{b}.
""".strip().splitlines()

CONVERT_UNITS = """
Convert {n} {f} to {t}.
How many {t} are {n} {f}?
What is {n} {f} in {t}?
{n} {f} in {t}
Express {n} {f} in {t}.
Turn {n} {f} into {t}, please.
How much is {n} {f} in {t}?
The label says {n} {f}. What is that in {t}?
I need {n} {f} as {t}.
Can you change {n} {f} to {t}?
How many {t} make {n} {f}?
The plan says {n} {f}; give me {t}.
""".strip().splitlines()

WEB_SEARCH_LIMIT = """
Find {n} pages about {q}.
Search the web for {q} and show {n} results.
Give me {n} results on {q}.
Look up {q}, at most {n} results.
Show me the top {n} results for {q}.
I want {n} links about {q}.
""".strip().splitlines()

WEB_SEARCH = """
Search the web for {q}.
Look up {q}.
Find something about {q}.
Google {q} for me.
Search for {q}, please.
Can you find information on {q}?
What can you find online about {q}?
Search for "{q}".
Do a web search on {q}.
""".strip().splitlines()

SET_TIMER_LABEL = """
Set a timer of {n} minutes for {w}.
Start a {n} minute timer for {w}.
Timer for {w}: {n} minutes
Set a timer called {w} for {n} minutes.
I need a timer for {w}, {n} minutes.
{n} minutes for {w}, start the timer.
Can you time {w} for {n} minutes?
Please start a timer labelled "{w}" for {n} minutes.
""".strip().splitlines()

SET_TIMER = """
Set a timer for {n} minutes.
Start a {n} minute timer.
Timer, {n} minutes please.
Wake me in {n} minutes.
Count down {n} minutes.
Can you set a timer of {n} minutes?
Give me {n} minutes on the clock.
""".strip().splitlines()

FIND_RESTAURANT = """
Find a {k} restaurant in {c}{p}.
Where can I eat {k} food in {c}{p}?
I want {k} food in {c}{p}.
Any good {k} restaurants in {c}{p}?
Show me {k} places to eat in {c}{p}.
We would like a {k} dinner in {c}{p}.
Recommend a {k} restaurant in {c}{p}, please.
Looking for {k} cuisine in {c}{p}
A {k} lunch in {c}{p}, what is there?
""".strip().splitlines()
