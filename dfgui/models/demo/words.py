"""The words that the pretraining corpus is written with, and the names, codes and numbers it invents.

    invented_name(rng) -> "Velmorin"     email(rng) -> "tasil.brone@quvex.net"     phrase(rng) -> "quiet copper bridge"

Proper names are put together from syllables, so that the base model learns to copy letters instead of remembering names.
"""

from random import Random

VERBS = (
    "polish inspect reserve order fetch paint register locate repair clean rent weigh measure count label pack ship deliver "
    "collect store stack sort list find check read print copy record archive rename remove add update open close lock unlock "
    "start stop pause plan assign approve reject review rate compare estimate draw sketch design build assemble tune test "
    "scan charge refill water plant harvest bake brew grind mix pour heat cool freeze sharpen fold wrap hang borrow return "
    "renew cancel confirm forward publish mark track follow report summarise describe choose pick rank invite greet notify"
).split()

NOUNS = (
    "lantern ferry kiln orchard parcel turbine bridge canal barrel basket violin cello piano drum anvil hammer ladder rope "
    "saddle stable tractor plough meadow hedge beehive greenhouse windmill mill bakery oven kettle teapot mug plate spoon "
    "carpet curtain cushion mattress wardrobe cupboard drawer shelf bookcase atlas novel poem essay ledger invoice receipt "
    "voucher ticket badge permit licence contract lease mortgage parking garage elevator corridor balcony terrace fountain "
    "statue gallery museum painting mural mosaic sculpture camera lens tripod telescope microscope beaker crystal magnet "
    "battery cable antenna satellite rocket glider balloon kayak canoe anchor sail compass harbour lighthouse reef island "
    "glacier valley tunnel quarry mine furnace forge foundry sawmill loom fabric ribbon button zipper jacket scarf glove "
    "helmet boot sandal umbrella suitcase backpack tent stove cabin hut chapel tower castle gate fence wall roof chimney "
    "attic cellar pump valve pipe filter tank boiler radiator fan heater lamp candle mirror clock locker vault safe shuttle "
    "tram wagon bicycle scooter helicopter trailer crane bulldozer pallet crate container warehouse depot counter kiosk "
    "booth stage theatre concert choir ballet puppet costume mask trophy medal puzzle chessboard marble kite whistle robot "
    "sensor server folder archive survey quiz recipe menu pantry cheese honey olive walnut pepper ginger saffron lentil "
    "falcon otter badger heron salmon trout beetle pony lamb hen goose rabbit hamster parrot tortoise specimen sample vaccine "
    "bandage stretcher clinic ward donor patient dentist tutor lesson course exam thesis diploma campus dormitory library"
).split()

ADJECTIVES = (
    "quiet copper bright narrow heavy hollow gentle rusty silver golden wooden ancient modern tiny giant broken spare empty "
    "crowded frozen sunny shady damp dry sharp smooth rough plain fancy cheap costly rapid slow early late northern southern "
    "eastern western red blue green yellow purple orange grey black white striped round square flat tall short wide thin thick "
    "soft hard sweet sour salty bitter fresh stale loud calm busy idle public private local remote urgent weekly daily final"
).split()

COMMON = (
    "the a to of and in is it you that for on are with as at be this have from or one had by but not what all were we when "
    "your can said there use an each which she do how their if will up other about out many then them these so some her would "
    "make like him into time has look two more write go see number no way could people my than first been call who its now "
    "find long down day did get come made may part new sound take only little work know place year live me back give most very "
    "after thing our just name good sentence man think say great where help through much before line right too mean old any "
    "same tell boy follow came want show also around form three small set put end does another well large must big even such "
    "because turn here why ask went men read need land different home us move try kind hand picture again change off play "
    "spell air away animal house point page letter mother answer found study still learn should world please thanks hello "
    "tomorrow today tonight yesterday morning evening noon week month hour minute second before after until between without "
    "below above inside outside ready done missing sure maybe always never often soon almost enough nothing something everyone "
    "next last previous current total average minimum maximum available default optional required given desired whole single"
).split()

COLOURS = "red blue green yellow purple orange grey black white pink brown silver".split()

ONSETS = "b br c ch cl d dr f fl g gr h j k kr l m n p pl qu r s sh sk st t th tr v w y z".split() + [""] * 2
NUCLEI = "a a e e i i o o u ai ea ei ia io oa ou".split() + ["é", "ö", "ü", "á"]
CODAS = "b ck d f g k l ll m n nd ng nt p r rd rn s ss st t th v x z".split() + [""] * 14
ENDINGS = [
    "",
    "",
    "",
    "a",
    "o",
    "en",
    "er",
    "in",
    "is",
    "on",
    "ville",
    "burg",
    "ton",
    "by",
    "land",
    "port",
    "ford",
    "dal",
    "stad",
]
DOMAINS = "net org com io eu info dev".split()


def syllable(rng: Random) -> str:
    nucleus = rng.choice(NUCLEI if rng.random() < 0.08 else NUCLEI[:-4])
    return rng.choice(ONSETS) + nucleus + rng.choice(CODAS)


def invented_word(rng: Random) -> str:
    """A lower-case word nobody has seen: "drenolk"."""
    return "".join(syllable(rng) for _ in range(rng.choice((1, 2, 2, 2, 3)))) or "oma"


def invented_name(rng: Random) -> str:
    """A capitalised name of one word: "Velmorin"."""
    return (invented_word(rng) + rng.choice(ENDINGS)).capitalize()


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
    if kind < 0.3:
        return rng.choice(NOUNS)
    if kind < 0.5:
        return rng.choice(ADJECTIVES)
    if kind < 0.75:
        return rng.choice(COMMON)
    return rng.choice(VERBS) if kind < 0.85 else invented_word(rng)


def phrase(rng: Random, low: int = 1, high: int = 5) -> str:
    """A few words that need not make sense: "quiet copper bridge to repair"."""
    return " ".join(word(rng) for _ in range(rng.randint(low, high)))
