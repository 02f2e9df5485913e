"""What the people of the demo dataset talk about: cities, currencies, units, occasions, errands, small talk."""

from random import Random

CITIES = (
    "Lisbon Oslo Nairobi Lima Toronto Kyoto Dublin Prague Cairo Seoul Madrid Vienna Athens Berlin Boston Mumbai Delhi Jakarta "
    "Manila Sydney Perth Auckland Helsinki Stockholm Copenhagen Reykjavik Warsaw Budapest Bucharest Sofia Belgrade Zagreb "
    "Ljubljana Bratislava Vilnius Riga Tallinn Brussels Amsterdam Rotterdam Hamburg Munich Cologne Zurich Geneva Milan Rome "
    "Naples Turin Venice Palermo Valencia Seville Porto Marseille Lyon Nantes Bordeaux Toulouse Edinburgh Glasgow Cardiff "
    "Bristol Leeds Chicago Denver Austin Dallas Houston Seattle Portland Phoenix Miami Atlanta Detroit Montreal Vancouver "
    "Calgary Ottawa Havana Bogota Quito Santiago Montevideo Brasilia Salvador Recife Accra Lagos Dakar Tunis Algiers Rabat "
    "Casablanca Kampala Lusaka Harare Windhoek Durban Doha Dubai Muscat Tehran Baghdad Amman Beirut Ankara Istanbul Tbilisi "
    "Yerevan Baku Tashkent Almaty Kathmandu Dhaka Colombo Bangkok Hanoi Taipei Osaka Nagoya Sapporo Busan Shanghai Beijing"
).split() + [
    "New York",
    "Los Angeles",
    "San Diego",
    "Cape Town",
    "Buenos Aires",
    "Mexico City",
    "Hong Kong",
    "Kuala Lumpur",
]

# what one US dollar buys, rounded, so that the dataset's answers make sense
CURRENCIES = {
    "USD": 1, "EUR": 0.92, "GBP": 0.79, "JPY": 150, "CHF": 0.88, "CAD": 1.37, "AUD": 1.52, "SEK": 10.5, "NOK": 10.8, "DKK": 6.9,
    "PLN": 4, "CZK": 23, "INR": 84, "BRL": 5.5, "MXN": 18, "ZAR": 18.5, "KRW": 1360, "TRY": 34, "NZD": 1.65, "SGD": 1.34,
}  # fmt: skip

# families of units, and how many of the first one each is
UNITS = (
    {"meters": 1, "miles": 1609.34, "kilometers": 1000, "feet": 0.3048, "inches": 0.0254, "yards": 0.9144},
    {"kilograms": 1, "pounds": 0.45359, "grams": 0.001, "ounces": 0.02835, "stones": 6.35},
    {"liters": 1, "gallons": 3.7854, "pints": 0.4732, "cups": 0.24, "milliliters": 0.001},
    {"hours": 1, "seconds": 1 / 3600, "days": 24, "weeks": 168},
)

CUISINES = (
    "Italian Thai Mexican Indian Japanese Greek French Korean Turkish Vietnamese Spanish Lebanese Ethiopian Chinese Peruvian "
    "Moroccan Portuguese vegan vegetarian Persian Georgian Nepalese"
).split()

FIRST = (
    "Anna Marco Priya Tom Lucia Omar Ingrid Chen Fatima Diego Nora Samuel Aisha Viktor Elena Kofi Mei Hugo Leila Jonas Carmen "
    "Pavel Sofia Amir Greta Luis Hana Felix Zoe Ravi Clara Mateo Olga Yusuf Emma Noah Ida Bruno Tara Leo"
).split()
LAST = (
    "Silva Novak Okafor Jensen Rossi Tanaka Meyer Kaur Lopez Weber Haddad Costa Nilsson Park Moreau Baker Fischer Diallo Reyes "
    "Kowalski Hughes Bianchi Virtanen Cohen Mendes"
).split()
HOSTS = "mail.com example.org office.net studio.io garden.co north.org post.eu harbor.com school.edu clinic.net".split()
SITES = "wiki atlas library journal almanac handbook archive reader gazette monitor".split()

KINDS = "weekly project team budget design sales family annual client garden dental piano tennis board school product".split()
MEETINGS = (
    "review meeting lunch workshop call dinner briefing session lesson checkup party interview rehearsal picnic".split()
)

MATTERS = (
    "the invoice|the new contract|the holiday plan|the broken printer|the team dinner|the travel budget|the missing parcel|"
    "the garden project|the exam results|the train tickets|the annual report|the office keys|the piano lessons|the rent|"
    "the job offer|the concert|the delivery|the repair|the photos|the guest list"
).split("|")
TURNS = (
    "|for next week|from Monday|for the spring|in the north office|for our school|of last year|for the new house".split(
        "|"
    )
)

LINES = (
    "I will be late",
    "please call me back",
    "the plan has changed",
    "we are ready to start",
    "thank you for your help",
    "the keys are on the desk",
    "see you at the station",
    "I cannot come",
    "the room is booked",
    "bring the red folder",
)
ENDS = ("", "tomorrow", "on Friday", "next week", "after lunch", "as soon as possible", "this evening", "before noon")

SUBJECTS = (
    "cheap flights|hiking boots|electric bikes|solar panels|bread recipes|jazz festivals|garden furniture|used cameras|"
    "language courses|running shoes|chess openings|medieval castles|coral reefs|steam engines|street art|wild mushrooms|"
    "board games|train museums|mountain huts|olive oil|sourdough starters|violin makers|night markets|bird songs"
).split("|")
SCOPES = (
    "for beginners|in winter|near the sea|for children|under 100 euros|in Scotland|with good reviews|for small rooms|from the 1970s|"
    "in South America|for long trips|made in Italy|for two people|on a budget|in the Alps|for rainy days"
).split("|")

CHORES = (
    "the pasta|the laundry|my tea|the bread|a nap|the eggs|the workout|the oven|the rice|the meditation|the homework|the pizza|"
    "the roast|the break|the plants|the cake|yoga|reading|the phone call|the soup|the dishes|the walk|piano practice|the cookies"
).split("|")


def occasion(rng: Random) -> str:
    """ "budget review", "tennis lesson with Priya"."""
    title = f"{rng.choice(KINDS)} {rng.choice(MEETINGS)}"
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
    turn = rng.choice(TURNS)
    return f"{rng.choice(MATTERS)} {turn}".strip()


def line(rng: Random) -> str:
    return f"{rng.choice(LINES)} {rng.choice(ENDS)}".strip()


def topic(rng: Random) -> str:
    return f"{rng.choice(SUBJECTS)} {rng.choice(SCOPES)}" if rng.random() < 0.8 else rng.choice(SUBJECTS)


def chore(rng: Random) -> str:
    return rng.choice(CHORES)
