"""Word lists that the sample grammars draw from; one blank parts words, a line break or ``|`` parts phrases."""

GOOD = tuple(
    """good great excellent wonderful amazing fantastic brilliant superb lovely beautiful delightful charming pleasant
    perfect awesome terrific marvellous impressive outstanding remarkable enjoyable entertaining funny hilarious
    interesting fascinating exciting gripping thrilling moving touching inspiring clever smart witty original fresh
    creative elegant graceful stunning gorgeous pretty cute sweet warm friendly kind helpful polite generous caring
    honest patient cheerful happy fun comfortable cosy clean quiet safe reliable solid sturdy fast quick smooth easy
    simple handy useful practical affordable cheap fair tasty delicious yummy juicy crisp tender rich refreshing healthy
    bright sunny calm relaxing peaceful magical memorable unforgettable satisfying rewarding valuable worthwhile
    convincing powerful strong sharp vivid lively spectacular incredible exceptional flawless first-rate splendid
    pleasing nice fine cool tidy spacious modern stylish professional attentive efficient accurate precise responsive
    well-made well-written believable heartfelt sincere uplifting hopeful playful tasteful addictive""".split()
)
BAD = tuple(
    """bad terrible awful horrible poor dreadful disappointing boring dull tedious slow weak silly stupid ridiculous
    predictable shallow flat lifeless bland tasteless stale cold greasy salty dry burnt soggy raw overcooked disgusting
    nasty gross ugly dirty filthy smelly noisy loud crowded cramped uncomfortable unpleasant rude unfriendly lazy
    arrogant careless dishonest mean cruel angry sad miserable gloomy depressing annoying irritating frustrating
    confusing messy chaotic clumsy awkward pointless useless worthless broken faulty defective unreliable fragile flimsy
    cheesy fake overpriced expensive costly unfair late delayed lost damaged buggy laggy outdated old-fashioned
    complicated difficult painful exhausting tiresome endless long-winded repetitive forgettable mediocre lame pathetic
    laughable embarrassing shameful offensive disgraceful inferior shabby sloppy unfinished uneven clueless hopeless
    incompetent unprofessional inaccurate wrong misleading unbearable unacceptable wretched rotten dismal lousy
    rainy stormy foggy dangerous scary unsafe sick tired bored""".split()
)
SUBJECTS = tuple(
    """movie film story plot script acting cast ending music soundtrack dialogue humour show series episode documentary
    book novel chapter poem author director actor actress game concert song album band performance play exhibition
    restaurant cafe bar food meal dinner lunch breakfast pizza burger pasta soup salad steak bread cake dessert coffee
    tea wine beer sauce menu waiter waitress chef service staff manager hotel room bed bathroom view pool beach trip
    holiday flight train bus taxi tour city town place park museum shop store product phone laptop tablet camera screen
    battery keyboard headphones speaker printer watch app website software update design price quality delivery package
    box shirt dress shoes jacket car bike engine house flat kitchen garden neighbour neighbourhood school teacher course
    lesson lecture doctor nurse dentist support team colleague boss job office meeting weather day evening weekend party
    present idea plan result experience atmosphere sound picture colour smell taste purchase""".split()
)
PLURALS = tuple(
    """actors characters jokes songs scenes effects dialogues people waiters rooms beds towels drinks cakes fries vegetables
    prices shoes headphones speakers colours instructions photos lessons teachers neighbours guests views seats trains
    songs stories books games results ideas""".split()
)
LOVED = tuple("""love|enjoy|like|adore|admire|recommend|appreciate|treasure|praise|prefer|value|trust""".split("|"))
LOVED_PAST = tuple("loved|enjoyed|liked|adored|admired|recommended|appreciated|praised|trusted".split("|"))
HATED = tuple("hate|dislike|regret|despise|detest|avoid|loathe|resent|distrust|can't stand".split("|"))
HATED_PAST = tuple("hated|disliked|regretted|despised|detested|avoided|loathed|resented|distrusted".split("|"))
TREATS = tuple(
    """masterpiece|gem|joy|pleasure|treat|delight|success|triumph|winner|bargain|blessing|treasure|miracle|hit|dream
    """.strip().split("|")
)
FAILURES = tuple(
    """disaster|mess|failure|waste of time|waste of money|joke|nightmare|letdown|disappointment|flop|bore|rip-off|shame
    |scam|catastrophe|mistake""".replace("\n    ", "").split("|")
)
GOOD_DEEDS = tuple(
    """works well|works perfectly|made me smile|made me laugh|makes me happy|arrived on time|is worth its price
    |is worth the money|is worth seeing|deserves an award|deserves five stars|exceeded my expectations|lasts for days
    |kept its promises|left me smiling|was a lot of fun|brought me joy|runs smoothly|saved my day|feels right|tastes great
    |looks great|sounds great|pays off""".replace("\n    ", "").split("|")
)
BAD_DEEDS = tuple(
    """stopped working|broke after a week|made me angry|made me yawn|put me to sleep|arrived late|arrived broken
    |fell apart|let me down|wasted my time|wasted my money|ruined the evening|ruined my day|gave me a headache
    |makes no sense|falls short|runs flat by noon|crashes all the time|drags on forever|goes nowhere|left me cold
    |broke its promises|deserves no stars|tastes awful|looks cheap|smells bad|costs too much|is much too long
    |is too expensive|takes forever""".replace("\n    ", "").split("|")
)
INTENSIFIERS = tuple(
    "very|really|so|quite|truly|extremely|absolutely|incredibly|rather|pretty|just|simply|totally|far too|a bit".split(
        "|"
    )
)
