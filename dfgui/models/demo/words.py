"""The words that the pretraining corpus is written with, and the names, codes and numbers it invents.

    invented_name(rng) -> "Velmorin"     email(rng) -> "tasil.brone@quvex.net"     phrase(rng) -> "quiet copper bridge"

Proper names are put together from syllables, so that the base model learns to copy instead of remembering.
"""

from random import Random

from dfgui.models.demo.lists import read

LISTS = read("words.txt")
VERBS, NOUNS, ADJECTIVES = LISTS["verbs"], LISTS["nouns"], LISTS["adjectives"]
COMMON, EVERYDAY, COLOURS = LISTS["common"], LISTS["everyday"], LISTS["colours"]
ONSETS, NUCLEI, ACCENTED, CODAS = LISTS["onsets"], LISTS["nuclei"], LISTS["accented"], LISTS["codas"]
ENDINGS, DOMAINS, LINKS = LISTS["endings"], LISTS["domains"], LISTS["links"]


def syllable(rng: Random) -> str:
    onset = rng.choice(ONSETS) if rng.random() < 0.94 else ""
    nucleus = rng.choice(NUCLEI if rng.random() < 0.985 else ACCENTED)
    return onset + nucleus + (rng.choice(CODAS) if rng.random() < 0.64 else "")


def invented_word(rng: Random) -> str:
    """A lower-case word nobody has seen: "drenolk", or "breaket", the halves of two that everybody knows."""
    if rng.random() < 0.5:
        return rng.choice(EVERYDAY)[: rng.randint(2, 5)] + rng.choice(EVERYDAY)[-rng.randint(2, 5) :]
    return "".join(syllable(rng) for _ in range(rng.choice((1, 2, 2, 2, 3)))) or "oma"


def invented_name(rng: Random) -> str:
    """A capitalised name of one word: "Velmorin"."""
    return (invented_word(rng) + (rng.choice(ENDINGS) if rng.random() < 0.84 else "")).capitalize()


def place(rng: Random) -> str:
    """A place of one to three words: "Port Grelda", "Oskavi"."""
    name = invented_name(rng)
    kind = rng.random()
    if kind < 0.1:
        return f"{rng.choice(('Port', 'New', 'Old', 'Saint', 'Lake', 'Upper', 'San', 'Mount', 'Fort'))} {name}"
    if kind < 0.18:
        return f"{name} {rng.choice(('Bay', 'City', 'Hill', 'Falls', 'Bridge', 'Park', 'Springs', invented_name(rng)))}"
    return name


def person(rng: Random) -> str:
    """A first name, or a first and a last name: "Tasil Brone"."""
    first = invented_name(rng)
    return first if rng.random() < 0.6 else f"{first} {invented_name(rng)}"


def email(rng: Random) -> str:
    user = invented_word(rng)
    kind = rng.random()
    if kind < 0.35:
        user += rng.choice("._-") + invented_word(rng)
    elif kind < 0.5:
        user += str(rng.randint(1, 99))
    host = invented_word(rng) if rng.random() < 0.6 else rng.choice(NOUNS)
    return f"{user}@{host}.{rng.choice(DOMAINS)}"


def date(rng: Random) -> str:
    return f"{rng.randint(1990, 2049)}-{rng.randint(1, 12):02d}-{rng.randint(1, 28):02d}"


def clock(rng: Random) -> str:
    return f"{rng.randint(0, 23):02d}:{rng.choice((0, 0, 15, 30, 45, rng.randint(0, 59))):02d}"


def integer(rng: Random) -> int:
    """A whole number of one to five digits; every length is as frequent as the next."""
    digits = rng.choice((1, 1, 2, 2, 2, 3, 3, 4, 5))
    return rng.randint(1 if digits == 1 else 10 ** (digits - 1), 10**digits - 1)


def decimal(rng: Random) -> float:
    return float(f"{rng.randint(0, 999)}.{rng.randint(1, 9) if rng.random() < 0.6 else rng.randint(11, 99)}")


def number(rng: Random) -> int | float:
    return integer(rng) if rng.random() < 0.6 else decimal(rng)


def code(rng: Random) -> str:
    """An identifier: "K4-2291", "QXR", "tz81"."""
    letters = "".join(rng.choice("ABCDEFGHJKLMNPQRSTUVWXYZ") for _ in range(rng.randint(1, 3)))
    digits = "".join(rng.choice("0123456789") for _ in range(rng.randint(2, 5)))
    return rng.choice((f"{letters}-{digits}", f"{letters}{digits}", f"{digits}{letters}", letters.lower() + digits))


def letters_code(rng: Random) -> str:
    """Three capital letters, as in a code of a country or an airport."""
    return "".join(rng.choice("ABCDEFGHIJKLMNOPQRSTUVWXYZ") for _ in range(3))


def word(rng: Random) -> str:
    kind = rng.random()
    if kind < 0.2:
        return rng.choice(NOUNS)
    if kind < 0.3:
        return rng.choice(ADJECTIVES)
    if kind < 0.5:
        return rng.choice(COMMON)
    if kind < 0.84:
        chosen = rng.choice(EVERYDAY)
        return chosen.capitalize() if rng.random() < 0.08 else chosen
    return rng.choice(VERBS) if kind < 0.9 else invented_word(rng)


def thing(rng: Random) -> str:
    """What a tool deals with: a noun, any everyday word, or one that nobody has seen."""
    kind = rng.random()
    if kind < 0.45:
        return rng.choice(NOUNS)
    return rng.choice(EVERYDAY) if kind < 0.8 else invented_word(rng)


def many(rng: Random) -> str:
    """More than one of something: "lanterns"."""
    return f"{thing(rng)}s"


def single(rng: Random) -> str:
    """One word that could describe anything: "copper", "Velmorin"."""
    kind = rng.random()
    if kind < 0.5:
        return invented_name(rng)
    return rng.choice(ADJECTIVES) if kind < 0.7 else rng.choice(EVERYDAY)


def label(rng: Random) -> str:
    """A name for a parameter that says nothing about it: "drenolk", "cabin", "east_ferry"."""
    one = thing(rng)
    return one if rng.random() < 0.7 else f"{one}_{thing(rng)}"


def deed(rng: Random) -> str:
    """What a tool does: a verb, or any word in its place."""
    kind = rng.random()
    if kind < 0.72:
        return rng.choice(VERBS)
    return rng.choice(EVERYDAY) if kind < 0.87 else invented_word(rng)


def phrase(rng: Random, low: int = 1, high: int = 5) -> str:
    """A few words that need not make sense: "quiet copper bridge to repair"."""
    return " ".join(word(rng) for _ in range(rng.randint(low, high)))


def noun(rng: Random) -> str:
    return rng.choice(NOUNS)


def words(rng: Random) -> list[str]:
    """One to four different words or names."""
    count = rng.randint(1, 4)
    return list(dict.fromkeys(invented_name(rng) if rng.random() < 0.5 else word(rng) for _ in range(count)))


def topic(rng: Random) -> str:
    """What something is about: "copper bridge", "the annual concert for Mirella", "old maps in the attic"."""
    thing = rng.choice((word, noun, noun))(rng)
    if rng.random() < 0.6:
        thing = f"{rng.choice(rng.choice((ADJECTIVES, NOUNS, EVERYDAY)))} {thing}"
    if rng.random() < 0.3:
        thing = f"{rng.choice(('the', 'the', 'a', 'my', 'our', 'new', 'all'))} {thing}"
    if rng.random() < 0.5:
        more = rng.choice(
            (
                invented_name(rng),
                word(rng),
                f"the {word(rng)}",
                f"{word(rng)} {noun(rng)}",
                f"{integer(rng)} {word(rng)}",
            )
        )
        thing = f"{thing} {rng.choice(LINKS)} {more}"
    return thing if rng.random() < 0.92 else phrase(rng, 1, 5)


def message(rng: Random) -> str:
    """Something to write: "please repair the lantern today"."""
    start = rng.choice(
        ("I will", "please", "we", "you can", "they", "do not", "I cannot", f"the {noun(rng)} will", "let us")
    )
    text = f"{start} {rng.choice(VERBS)} {rng.choice(('the', 'a', 'my', 'your', 'this'))} {word(rng)}"
    if rng.random() < 0.5:
        ends = (
            "today",
            "soon",
            "tonight",
            "now",
            "again",
            "at noon",
            f"in the {noun(rng)}",
            f"with {invented_name(rng)}",
        )
        text += f" {rng.choice(ends)}"
    return text if rng.random() < 0.8 else phrase(rng, 1, 7)
