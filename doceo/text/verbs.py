"""English verbs: a closed list of those that explaining prose is made of, and their forms by rule.

Forms follow the spelling rules of English (doubling, -e, -y) with the irregular verbs listed; the list is our own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from doceo.text.words import closed

Form = Literal["base", "s", "past", "participle", "ing"]

_REGULAR = """
abandon abolish absorb accelerate accept access accommodate accompany accomplish account accumulate achieve
acknowledge acquire act activate adapt add address adhere adjust administer admire admit adopt advance advertise
advise advocate affect aggregate agree aid aim align allocate allow alter amalgamate amend amount amplify analyse
analyze announce answer anticipate appear append apply appoint appreciate approach approve approximate archive argue
arrange arrest arrive ascertain ask assemble assert assess assign assist associate assume assure attach attack
attain attempt attend attract authorise authorize automate average avoid await award back balance ban base batch
begin behave believe belong benefit block boost boot borrow bound branch bridge broadcast browse buffer build bundle
bypass cache calculate calibrate call cancel capture care carry cause cease centralize certify challenge change
characterize charge check choose circulate cite claim clarify classify clean clear click climb clone close cluster
coincide collaborate collapse collect combine command comment commission commit communicate compare compensate
compete compile complement complete complicate comply compose comprise compress compromise compute conceal
concentrate concern conclude conduct configure confirm conflict conform confuse connect conserve consider consist
constitute constrain construct consult consume contact contain continue contract contrast contribute control convert
convey convict convince cooperate coordinate copy correct correlate correspond corrupt cost count couple cover crash
create credit criticize crop cross customize damage debut debug decay decide declare decline decode decompose
decorate decrease decrypt dedicate deduce default defeat defend defer define delay delegate delete deliver demand
demonstrate denote deny depart depend depict deploy deprecate derive descend describe deserialize deserve design
designate desire destroy detect determine develop deviate devise diagnose dictate die differ differentiate direct
disable disagree disallow disappear discard disclose discontinue discourage discover discuss dismiss display dispose
distinguish distribute diverge divide document dominate donate double download draft drain drive drop dump duplicate
earn ease edit educate elect eliminate embed embrace emerge emit emphasize employ empower emulate enable encapsulate
encode encompass encounter encourage encrypt end endorse enforce engage enhance enjoy enlarge enlist enrich enroll
ensure enter entitle enumerate equal equip erase escape establish estimate evaluate evaporate evolve examine exceed
exchange exclude execute exempt exercise exert exhibit exist exit expand expect expedite expire explain exploit
explore export expose express extend extract face facilitate fail favor favour feature fetch fill filter finance
finish fire fit fix flag float flow flush focus follow force forecast foresee form format formulate forward foster found
free freeze frustrate fulfil fulfill function fund gain gather generalize generate govern grant graduate group
guarantee guard guess guide halt handle hang happen harm head heal help highlight hire honor honour host identify
ignore illustrate imagine imitate impact implement imply import impose improve include incorporate increase
increment incur index indicate induce infect infer inflate influence inform inherit inhibit initialise initialize
initiate inject insert inspect inspire install instantiate instruct insulate integrate intend interact intercept
interfere interpolate interpret interrupt intersect introduce invalidate invent invest investigate invite invoke
involve isolate issue iterate join judge justify kill label lack laminate land last launch lead leak learn lend
lessen let level leverage license lift limit link list live load locate lock log look loop lose lower maintain
manage mandate manipulate manufacture map mark market mask master match mature maximize measure mediate melt
memorize mention merge migrate minimise minimize mirror miss mix model moderate modernize modify monitor mount move
multiply name navigate need neglect negotiate nest normalise normalize note notice notify number obey object oblige
obscure observe obtain occupy occur offer offset omit open operate optimise optimize order organise organize orient
originate oscillate outline output outperform overcome overlap override oversee overwrite own pack package pad parse
partition pass patch patent pause peak penalize perceive perform permit persist pick place plan play plot point pool
populate position possess post postpone precede predict prefer prefix prepare prescribe present preserve press
presume prevail prevent print prioritize probe proceed process proclaim produce profile program prohibit project
promise promote prompt propagate propose protect protest prove provide provision publish pull punish purchase purge
pursue push qualify quantify query question queue raise randomize range rank rate reach react read realise realize
rearrange reason rebuild receive reclaim recognise recognize recommend record recover recur redirect reduce refer
refine reflect refresh refuse regain regard register regulate reinforce reject relate relax release relieve reload
relocate rely remain remember remind remove rename render renew repair repeat rephrase replace replicate reply
report represent reproduce request require resample rescue research resemble reserve reset reshape reside resign
resist resize resolve respect respond rest restart restore restrict result resume retain retire retrieve return
reuse reveal reverse revert review revise revoke reward rewrite roll rotate round route rule safeguard sample
satisfy save scale scan schedule scope score search secure seed seek segment select separate sequence serialize
serve service settle shape share shelter shift ship shorten shrink shuffle sign signal simplify simulate skip slice
slow smooth solve sort source span spawn specialise specialize specify split sponsor spread stabilize stage start
state stay steer stem step stop store stream strengthen stress strip structure struggle study submit subscribe
substitute subtract succeed suffer suffice suggest suit summarise summarize supersede supervise supplement supply
support suppose suppress surpass surround survey survive suspend sustain swap switch symbolize sync synchronise
synchronize synthesize tackle tag tail target taste teach tend terminate test thank threaten tie tighten time toggle
tolerate total touch trace track trade train transcribe transfer transform transition translate transmit transport
travel traverse treat trigger trim truncate trust try tune turn type uncover undergo underlie undermine undertake
unify uninstall unite unload unlock unpack update upgrade uphold upload urge use utilise utilize vacate validate
value vary verify view violate visit visualize wait walk want warn warrant waste watch weaken weigh weight welcome
widen wish withdraw withstand witness work worry wrap yield zip
"""

_IRREGULAR = """
arise arose arisen| awake awoke awoken| be was been| bear bore borne| beat beat beaten| become became become|
begin began begun| bend bent bent| bind bound bound| bite bit bitten| bleed bled bled| blow blew blown|
break broke broken| breed bred bred| bring brought brought| broadcast broadcast broadcast| build built built|
burn burnt burnt| buy bought bought| cast cast cast| catch caught caught| choose chose chosen| cling clung clung|
come came come| cost cost cost| cut cut cut| deal dealt dealt| dig dug dug| do did done| draw drew drawn|
drink drank drunk| drive drove driven| eat ate eaten| fall fell fallen| feed fed fed| feel felt felt|
fight fought fought| find found found| flee fled fled| fly flew flown| forbid forbade forbidden|
forecast forecast forecast| foresee foresaw foreseen| forget forgot forgotten| freeze froze frozen| get got got|
give gave given| go went gone| grind ground ground| grow grew grown| hang hung hung| have had had| hear heard heard|
hide hid hidden| hit hit hit| hold held held| hurt hurt hurt| keep kept kept| know knew known| lay laid laid|
lead led led| leave left left| lend lent lent| let let let| lie lay lain| lose lost lost| make made made|
mean meant meant| meet met met| offset offset offset| outperform outperformed outperformed|
overcome overcame overcome| override overrode overridden| oversee oversaw overseen| overwrite overwrote overwritten|
pay paid paid| put put put| quit quit quit| read read read| rebuild rebuilt rebuilt| reset reset reset|
rewrite rewrote rewritten| ride rode ridden| ring rang rung| rise rose risen| run ran run| say said said|
see saw seen| seek sought sought| sell sold sold| send sent sent| set set set| shake shook shaken| shed shed shed|
shine shone shone| shoot shot shot| show showed shown| shrink shrank shrunk| shut shut shut| sing sang sung|
sink sank sunk| sit sat sat| sleep slept slept| slide slid slid| speak spoke spoken| spend spent spent|
spin spun spun| split split split| spread spread spread| spring sprang sprung| stand stood stood| steal stole stolen|
stick stuck stuck| strike struck struck| strive strove striven| swear swore sworn| sweep swept swept| swim swam swum|
swing swung swung| take took taken| teach taught taught| tear tore torn| tell told told| think thought thought|
throw threw thrown| undergo underwent undergone| underlie underlay underlain| understand understood understood|
undertake undertook undertaken| uphold upheld upheld| wear wore worn| win won won| withdraw withdrew withdrawn|
withhold withheld withheld| withstand withstood withstood| write wrote written
"""

_DOUBLING = closed(
    "admit ban bar bid chat chop clip commit compel control cram crop debug defer dispel drag drop embed emit "
    "equip expel fit flag flip format forbid grab grip hop hum incur infer input jog kid knit lag log map mob mop "
    "nod occur omit pad patrol pen permit pin plan plot plug pop prefer program propel quit rebel recur refer "
    "regret rip rob rub scan scrub ship shred shop skip slam slip snap span spot step stem stir stop strip submit "
    "sum swap tag tap transfer transmit trap trim tug unzip wrap zip zip"
)
NOUN_LIKE = closed(
    "access account act address aid aim amount answer approach archive array attack attempt award back balance "
    "ban base batch benefit block boost boot branch bridge buffer bundle cache call care cause challenge change "
    "charge check claim clone cluster command comment commission commit compromise concern conduct conflict "
    "contact contract contrast control copy cost count couple cover crash credit crop cross damage decline "
    "default delay demand design desire display document double download draft drive drop dump ease edit end "
    "escape estimate exchange exercise exit experience export extract face fail favor favour feature fetch figure "
    "file fill filter finance fire fit fix flag float flow focus force forecast form format forward freeze "
    "function fund gain grant group guarantee guard guess guide halt hand handle harm head help highlight hire "
    "hit honor host impact import increase increment index influence input insert interest interface interrupt "
    "invite issue join judge kill label lack laminate land last launch lead leak level license lift limit link "
    "list live load lock log look loop map mark market mask master match matter measure mention merge mirror miss "
    "mix model monitor mount move name need nest note notice number object offer offset open order outline output "
    "overlap own pack package pad part pass patch patent pause peak pick picture place plan play plot point pool "
    "position post prefix present press print probe process produce profile program project promise prompt "
    "protest provision pull purchase push query question queue raise range rank rate reach reason record refund "
    "register release repair repeat reply report request research reserve reset rest restart result return reuse "
    "review reward ride rise risk roll round route rule run sample save scale scan schedule scope score search "
    "seed segment sequence service set shape share shelter shift ship show sign signal skip slice sort source "
    "span split sponsor spread stage stand start state stay stem step stop store stream stress strip structure "
    "struggle study supply support surprise survey swap switch sync tag tail talk target taste test thank tie "
    "time toggle total touch trace track trade train transfer transition travel treat trigger trust try tune turn "
    "type update upgrade upload use value view visit wait walk want warrant waste watch weight win wish witness "
    "work worry wrap write read build find yield"
)
"""Base forms that are nouns as often as verbs, so that their -s form may be a plural."""


@dataclass(frozen=True, slots=True)
class Verb:
    """One verb: its base form and the forms made from it."""

    base: str
    s: str
    past: str
    participle: str
    ing: str


def _third_person(base: str) -> str:
    if base in ("be", "have", "do", "go"):
        return {"be": "is", "have": "has", "do": "does", "go": "goes"}[base]
    if base.endswith(("s", "x", "z", "ch", "sh")):
        return base + "es"
    return base[:-1] + "ies" if base.endswith("y") and base[-2] not in "aeiou" else base + "s"


def _past(base: str) -> str:
    if base.endswith("e"):
        return base + "d"
    if base.endswith("y") and base[-2] not in "aeiou":
        return base[:-1] + "ied"
    return base + base[-1] + "ed" if base in _DOUBLING else base + "ed"


def _ing(base: str) -> str:
    if base.endswith("ie"):
        return base[:-2] + "ying"
    if base.endswith("e") and not base.endswith(("ee", "oe", "ye")) and base != "be":
        return base[:-1] + "ing"
    doubled = base in _DOUBLING or base in {
        "begin",
        "cut",
        "dig",
        "forget",
        "get",
        "hit",
        "let",
        "put",
        "run",
        "set",
        "shut",
        "sit",
        "spin",
        "split",
        "swim",
        "win",
        "reset",
        "offset",
    }
    return base + base[-1] + "ing" if doubled else base + "ing"


def _table() -> dict[str, Verb]:
    table = {base: Verb(base, _third_person(base), _past(base), _past(base), _ing(base)) for base in _REGULAR.split()}
    for entry in _IRREGULAR.split("|"):
        base, past, participle = entry.split()
        table[base] = Verb(base, _third_person(base), past, participle, _ing(base))
    return table


VERBS: dict[str, Verb] = _table()
"""Every listed verb by its base form."""


def _forms() -> dict[str, tuple[tuple[str, Form], ...]]:
    forms: dict[str, list[tuple[str, Form]]] = {}
    for verb in VERBS.values():
        named: list[tuple[str, Form]] = [
            (verb.base, "base"),
            (verb.s, "s"),
            (verb.past, "past"),
            (verb.participle, "participle"),
            (verb.ing, "ing"),
        ]
        for form, name in named:
            if form == "found" and name == "base":
                continue  # nearly always a form of "find"
            forms.setdefault(form, []).append((verb.base, name))
    return {form: tuple(found) for form, found in forms.items()}


FORMS: dict[str, tuple[tuple[str, Form], ...]] = _forms()
"""Every form of a listed verb, in lower case, with the base forms and the forms it may be."""


def base_of(word: str, form: Form) -> str | None:
    """Return the base of a word that is this form of a listed verb, else None. The word is in lower case."""
    return next((base for base, name in FORMS.get(word, ()) if name == form), None)


def third_person(base: str) -> str:
    """Return the -s form of a verb given by its base form, listed or not."""
    return VERBS[base].s if base in VERBS else _third_person(base)
