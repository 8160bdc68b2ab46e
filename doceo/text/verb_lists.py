"""The lists behind `doceo.text.verbs`, our own: regular and irregular verbs, which double a letter, which are nouns."""

from __future__ import annotations

from doceo.text.words import closed

REGULAR = """
abandon abbreviate abdicate abolish abort abridge absorb abuse accelerate accept access accommodate accompany
accomplish account accrue accumulate accuse accustom achieve acknowledge acquaint acquire acquit act activate adapt
add address adhere adjust administer admire admit adopt advance advertise advise advocate affect affiliate affirm
afford aggravate aggregate agree aid aim air alarm alert align allege allocate allot allow ally alter amalgamate
ambush amend amount amplify analyse analyze anchor anger animate annex annihilate annotate announce answer
anthologize anticipate appeal appear append apply appoint appreciate approach approve approximate arbitrate archive
argue arm arrange arrest arrive ascend ascertain ask assassinate assault assemble assert assess assign assist
associate assume assure attach attack attain attempt attend attest attract attribute audit augment authorise
authorize automate average avoid await awaken award back backport balance ban banish baptize base batch begin behave
believe belong benefit besiege bestow blame bless blind block blockade boast bomb bombard bond boost boot border
borrow bound branch breathe bribe bridge broadcast browse buffer build bundle burden bury bypass cache calculate
calibrate call cancel capitalize captain capture care carry cash catalyze categorize cause cease cede celebrate
center centralize centre certify chain chair challenge change characterize charge charter check cherish choose
choreograph circulate cite civilize claim clarify classify clean clear click climb clone close cluster coach coauthor
code codify coexist coin coincide collaborate collapse collect colonize color colour combine command commence commend
comment commission commit communicate compare compensate compete compile complain complement complete complicate
comply compose compound compress comprise compromise compute concatenate conceal concede conceive concentrate concern
conclude condemn condition conduct confer confide configure confine confirm conflict conform confront confuse
conjecture connect conquer conserve consider consist consolidate constitute constrain construct construe consult
consume contact contain contaminate contemplate contend contest continue contract contrast contribute control convene
convert convey convict convince cooperate coordinate copy copyright correct correlate correspond corrupt cost costar
count couple cover craft crash create credit criminalize criticise criticize crop cross crown crush cultivate cure
customize damage darken date deactivate debate debug debut decay deceive decide declare decline decode decompose
decorate decouple decrease decrypt dedicate deduce deduct deem default defeat defect defend defer define deform
degrade delay delegate delete delimit deliver demand demolish demonstrate denote denounce deny depart depend depict
deploy depose deprecate deprive derive descend describe deserialize desert deserve design designate desire destine
destroy detach detain detect deteriorate determine devastate develop deviate devise devote diagnose dictate die
differ differentiate diffuse digest dignify diminish direct disable disagree disallow disappear disappoint disburse
discard discharge discipline disclose disconnect discontinue discount discourage discover discretize discuss dislike
dislocate dismantle dismiss dispel dispense disperse displace display dispose dispute disqualify disregard dissipate
dissolve distinguish distribute disturb diverge diversify divert divide document dominate donate double doubt
downgrade download draft drain dramatize dread dream dress drive drop dub dump duplicate earn ease echo edge edit
educate effect elapse elect elevate elide eliminate emancipate embargo embark embed embrace emerge emigrate emit
emphasize employ empower empty emulate emulsify enable enact encapsulate enclose encode encompass encounter encourage
encrypt end endanger endorse endow endure enforce enfranchise engage engineer engrave engulf enhance enjoy enlarge
enlighten enlist enrich enrol enroll enshrine enslave ensue ensure enter entertain entitle enumerate equal equate
equip erase erect erode erupt escape escort establish esteem estimate evacuate evaluate evangelize evaporate evidence
evolve exacerbate exact exaggerate exalt examine excavate exceed exchange excite exclude excrete excuse execute
exemplify exempt exercise exert exhaust exhibit exist exit expand expect expedite expend experience experiment expire
explain explode exploit explore export expose expound express extend extinguish extract extrapolate eye face
facilitate factor factorize fail fashion fasten fault favor favour fear feature fertilize fetch file fill film filter
finalize finance finish fire fit fix flag flank flatten float flood flourish flow flush focus fold follow force
forecast foresee forfeit forge form formalize format formulate fortify forward foster found fragment frame free
freeze frustrate fuel fulfil fulfill function fund furnish fuse gain garrison gather generalize generate germinate
govern graduate grant grasp ground group guarantee guard guess guide hack halt handle hang happen harden harm hash
head headquarter heal heat heed heighten help highlight hinder hint hire honor honour hook hope host house hydrolyze
hypothesize identify ignore illuminate illustrate imagine imitate immigrate immunize impact impair impart implement
implicate imply import impose impoverish impress imprison improve inaugurate incline include incorporate increase
increment incur indent index indicate indict induce induct indulge infect infer inflate inflict influence inform
infringe infuse inhabit inhale inherit inhibit initialise initialize initiate inject injure inoculate insert insist
inspect inspire install instantiate institute instruct insulate insure integrate intend intensify interact intercept
interfere intermarry intern internationalize interpolate interpret interrupt intersect introduce invade invalidate
invent invert invest investigate invite invoke involve ionize irradiate isolate issue itemize iterate jail join judge
jump justify kick kill knock label lack laminate land last launch layer lead leak learn lease lecture legalize
legislate lemmatize lend lessen let level leverage liberate license lift lighten like limit line linearize link
liquidate list litigate live load lobby localize locate lock log long look loop loot lose lower mail maintain man
manage mandate mangle manifest manipulate manufacture map march marginalize mark market marry marshal mask massacre
master match mate mature maximize measure mediate melt memorize menace mention mentor merge migrate mine minimise
minimize mirror misinterpret miss misuse mitigate mix model moderate modernize modify monitor motivate mount move
multiply murder mutate name narrate narrow navigate necessitate need neglect negotiate nest neutralize nickname
nominate normalise normalize note notice notify nullify number obey oblige obscure observe obstruct obtain
occupy occur offer offset omit open operate oppress optimise optimize orbit orchestrate ordain order organise
organize orient originate orphan oscillate outflank outlast outlaw outline outlive outnumber outperform output
outsource outweigh overcome overlap overload overlook override oversee overturn overwhelm overwrite owe own oxidize
pace pack package pad paginate paint pair parametrize pardon parse participate partition partner pass patch patent
pause pave peak penalize penetrate perceive perfect perform perish permit persist persuade phase pick pioneer place
plan plant play plead please pledge plot plug plunge point poison polish poll pollinate pollute pool populate port
portray pose position possess post postpone postulate pour power practice practise praise preach precede preclude
precompile predefine predict prefer prefix premiere prepare prepend prescribe present preserve press presume prevail
prevent print prioritize probe proceed process proclaim produce profile program progress prohibit project prolong
promise promote prompt pronounce propagate propose prosecute prosper protect protest prove provide provision provoke
publicize publish pull punish purchase purge purify pursue push qualify quantify quantize query question queue raise
randomize range rank rasterize rate ratify ravage reach react read reaffirm realise realize rear rearrange reason
reassign rebrand rebuild recall receive reckon reclaim reclassify recognise recognize recommend recompile reconcile
reconstruct reconvene record recover recruit rectify recur redact redesign redesignate redirect rediscover
redistribute reduce reelect refactor refer refine reflect reform refresh refuse regain regard register regulate
rehearse reimburse reinforce reinstall reintroduce reissue reject rejoin relate relaunch relax release relieve reload
relocate rely remain remake remark remedy remember remind remit remove rename render renew renounce renovate reopen
reorganize repair repay repeal repeat repel rephrase replace replicate reply report repose represent reprint reprise
reproduce repulse request require reroute rerun resample rescue research resemble resent reserve reset reshape reside
resign resist resize resolve resort respect respond rest restart restore restrict restructure result resume retain
retire retreat retrieve retry return reunite reuse revamp reveal reverse revert review revise revive revoke
revolutionize reward rework rewrite roll root rotate round rout route ruin rule rush sack sacrifice safeguard sail
sample sanction satisfy save scale scan scatter schedule scope score screen sculpt seal search secede second secrete
secure seed seek seem segment segregate seize select sense separate sequence serialize serve service settle sever
shape share shatter shelter shield shift ship shorten shrink shuffle shutter side sign signal silence simplify
simulate situate size skate skip slice slow smooth smother smuggle soak solve sort sound source space span spark
spawn spearhead specialise specialize specify spell split sponsor spread stabilize stack stage stain stake stall star
start state stay steer stem step stop store strain strand stream streamline strengthen stress stretch strip structure
struggle study subdivide subject submerge submit subscribe subside substantiate substitute subtitle subtract subvert
succeed sue suffer suffice suggest suit summarise summarize summon supersede supervise supplement supply support
suppose suppress surface surmount surpass surprise surrender surround survey survive suspect suspend sustain swallow
swap switch symbolize sync synchronise synchronize syndicate synthesize tackle tag tail tailor talk tape taper target
tariff task taste tax teach televise temper tempt tend term terminate test testify thank theme theorize thread
threaten tie tighten time tire toggle tokenize tolerate torture total touch tour tow trace track trade trail train
trample transcribe transfer transform transition translate transmit transplant transport travel traverse treat
trespass trigger trim triumph trouble truncate trust try tune turn tutor tweak type uncover undergo underlie
undermine undertake unfold unify uninstall unite unload unlock unpack unveil update upgrade uphold upload urge use
utilise utilize vacate vaccinate validate value vandalize vanish vary venerate venture verify vest videotape view
violate virtualize visit visualize voice void wait waive walk want warm warn warrant waste watch weaken weather weigh
weight welcome widen wipe wire wish withdraw withstand witness wonder work worry wound wrap wreck wrong yield zip
"""
"""Base forms of verbs whose past is made with -ed."""

IRREGULAR = """
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
"""Base form, past and participle of the others."""

DOUBLING = closed(
    "admit ban bar bid chat chop clip commit compel confer control cram crop debug defer deter dispel drag drop "
    "embed emit equip expel fit flag flip forbid format grab grip hop hum incur infer input jog kid knit lag log "
    "map mob mop nod occur omit pad patrol pen permit pin plan plot plug pop prefer program propel quit rebel "
    "recur refer regret repel rerun rip rob rub scan scrub ship shop shred skip slam slip snap span spot stem step "
    "stir stop strip submit sum swap tag tap transfer transmit trap trim tug unzip wrap zip"
)
"""Verbs that double their last letter before -ed and -ing."""

NOUN_LIKE = closed(
    "access account act address aid aim air alarm alert ally ambush amount anchor anger answer appeal approach "
    "archive arm array assault attack attempt audit award back balance ban base batch benefit blame blind block "
    "blockade bomb bond boost boot border branch bribe bridge buffer build bundle burden cache call captain care "
    "cash cause center centre chain chair challenge change charge charter check claim clone cluster coach code "
    "coin color colour command comment commission commit compound compromise concern condition conduct conflict "
    "contact contest contract contrast control copy copyright cost count couple cover craft crash credit crop "
    "cross crown cure damage date debate decline default defect delay demand desert design desire discipline "
    "discount display dispute document double doubt download draft dream dress drive drop dump ease echo edge edit "
    "effect embargo end engineer escape escort estimate evidence exact exchange excuse exercise exit experience "
    "experiment export extract eye face factor fail fault favor favour fear feature fetch figure file fill film "
    "filter finance find fire fit fix flag flank float flood flow focus force forecast forge form format forward "
    "fragment frame freeze fuel function fund fuse gain garrison grant ground group guarantee guard guess guide "
    "hack halt hand handle harm hash head heat help highlight hint hire hit honor hook host house impact import "
    "increase increment index influence input insert institute insult interest interface intern interrupt invite "
    "issue join judge jump kick kill knock label lack laminate land last launch layer lead leak lease lecture "
    "level license lift light like limit line link list listen live load lobby lock log long look loop loot mail man "
    "manifest map march mark market mask master match mate matter measure mention mentor merge mine mirror miss "
    "misuse mix model monitor mount move murder name narrow need nest note notice number object offer offset open "
    "orbit order orphan outline output overlap own pace pack package pad paint pair pardon part partner pass patch "
    "patent pause peak phase pick picture pioneer place plan plant play pledge plot plug point poison polish poll "
    "pool pose position post power practice prefix present press print probe process produce profile program "
    "progress project promise prompt protest provision pull purchase push query question queue raise range rank "
    "rate reach read rear reason recall record recruit reform refund register release remark repair repeat reply "
    "report request research reserve reset resort rest restart result retreat return reuse review reward ride rise "
    "risk roll root round rout route ruin rule run rush sack sacrifice sample sanction save scale scan schedule "
    "scope score screen seal search second seed segment sense sequence service set shape share shelter shield "
    "shift ship show shutter side sign signal silence size skip slice sort sound source space span spark spell "
    "split sponsor spread stack stage stain stake stall stand star start state stay stem step stop store strain "
    "strand stream stress stretch strip structure struggle study subject supply support surface surprise survey "
    "suspect swap switch sync tag tail talk tape target tariff task taste tax temper term test thank theme thread "
    "tie time tire toggle total touch tour tow trace track trade trail train transfer transition travel treat "
    "trigger triumph trouble trust try tune turn tutor type update upgrade upload use value venture view visit "
    "voice void wait walk want warrant waste watch weather weight win wire wish witness work worry wound wrap "
    "wreck write wrong yield"
)
"""Base forms that are nouns as often as verbs, so that their -s form may be a plural."""
