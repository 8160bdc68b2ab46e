"""The patterns of `doceo.text.injections` in other languages: the families that are met most, in folded letters."""

from __future__ import annotations

from doceo.text.injection_patterns import GAP, Pattern, near, pattern

_WORDS = r"(?:\w+ ){0,3}?"

OTHERS: tuple[Pattern, ...] = (
    pattern(
        "override",  # German, French, Dutch
        "ignor|missacht|vergiss|vergessen|oubli|neglig|compte|negeer|vergeet",
        near(
            r"\b(?:ignorier\w*|missacht\w*|vergiss|vergessen sie)\b",
            r"\b(?:vorherig\w*|vorig\w*|bisherig\w*|obig\w*|vorangegangen\w*|vorstehend\w*|fruher\w*|alle\w*|deine\w*"
            r"|ihre\w*)\b",
            r"\b(?:system)?(?:anweisung\w*|instruktion\w*|befehl\w*|regeln|vorgaben|prompts?|kontext)\b",
        ),
        near(
            r"\b(?:ignore[zr]?|oublie[zr]?|neglige[zr]?|ne (?:tenez|tiens) (?:pas|aucun) compte)\b",
            r"\b(?:precedente?s?|anterieure?s?|ci-dessus|toutes?|tous|vos|tes)\b",
            r"\b(?:instructions?|consignes?|directives?|regles|ordres|invites?)\b",
        ),
        near(
            r"\b(?:negeer|vergeet)\b",
            r"\b(?:vorige|eerdere|voorgaande|bovenstaande|alle|je|uw)\b",
            r"\b(?:instructies?|opdrachten|regels|aanwijzingen|prompts?)\b",
        ),
    ),
    pattern(
        "override",  # Spanish, Portuguese, Italian, Polish, Turkish
        "ignor|olvid|esque|desconsider|dimentic|zignoruj|zapomnij|yok say|unut|dikkate|caso omiso|trascur",
        near(
            r"\b(?:ignor[ae]\w{0,3}|olvid[ae]\w{0,2}|haz caso omiso|esquec?a\w{0,2}|desconsider[ea]\w?|dimentica\w{0,2}"
            r"|trascura)\b",
            r"\b(?:anterior\w*|previ[ao]s?|precedent[ei]|acima|tod[ao]s|tutt[ei]|sus|tus|suas|tue)\b",
            r"\b(?:instruccion\w*|instrucoes|istruzion[ei]|ordenes|ordens|ordini|reglas|regras|regole|indicaciones"
            r"|direttive|directrices|prompts?)\b",
        ),
        near(
            r"\b(?:zignoruj|zapomnij|ignoruj)\b",
            r"\b(?:poprzedni\w*|wczesniejsz\w*|wszystki\w*|powyzsz\w*)\b",
            r"\b(?:instrukcj\w*|polece\w*|zasad\w*)\b",
        ),
        r"\b(?:onceki|yukaridaki|tum)\b"
        + GAP % 20
        + r"(?:talimat|komut|yonerge)\w*"
        + GAP % 20
        + r"(?:yok say|unut|dikkate alma)",
    ),
    pattern(
        "override",  # Russian, Ukrainian, Chinese, Japanese, Korean, Arabic, Hindi
        "игнор|ігнор|забудь|внимани|忽略|无视|無視|忘|忽視|不要理会|従わな|무시|잊|تجاهل|نس|همل|अनदेखा|अंदाज|भूल",
        r"(?:игнорируй\w*|проигнорируй\w*|[иі]гноруй\w*|забудь\w*|не обращай\w* внимания)"
        + GAP % 40
        + r"(?:инструкц|[иі]нструкц|указани|команд|правил|подсказк|вказівк)\w*",
        r"(?:忽略|无视|無視|忘记|忘掉|忽視|不要理会)[^。,!?\n]{0,16}(?:指令|指示|提示|说明|說明|命令|规则|規則|设定)",
        r"(?:指示|命令|指令|プロンプト|ルール|説明)[^。、\n]{0,10}(?:無視|忘れ|従わな)",
        r"(?:지시|명령|지침|프롬프트)\S{0,4}[^.\n]{0,12}(?:무시|잊)",
        r"(?:تجاهل|[اأإ]نس|[اأ]همل)[^.\n]{0,30}(?:التعليمات|ال[اأ]وامر|ال[اإ]رشادات|توجيهات)",
        r"(?:निर्देश|आदेश|नियम)[^।\n]{0,20}(?:अनदेखा|नज़रअंदाज|नजरअंदाज|भूल)",
    ),
    pattern(
        "to-a-model",
        "wenn |falls |sofern |si tu es|si vous|si eres|si usted|se sei|se voce|se tu es|如果你|なら|であれば|если ",
        r"\b(?:wenn|falls|sofern) (?:du|sie) (?:eine?n? )?" + GAP % 15 + r"(?:ki|sprachmodell|chatbot|llm|assistent)\b",
        r"\bsi (?:tu es|vous etes|eres|usted es) (?:une?|un|una)? ?"
        r"(?:ia|modele de langage|modelo de lenguaje|assistante?|asistente|llm)\b",
        r"\bse (?:sei|voce e|tu es) (?:uma?|una?|un')? ?"
        r"(?:ia|modello linguistico|modelo de linguagem|assistente|llm)\b",
        r"如果你是[^。\n]{0,6}(?:ai|人工智能|语言模型|語言模型|大模型|助手)",
        r"(?:ai|言語モデル|アシスタント)(?:である)?(?:なら|であれば)",
        r"если (?:ты|вы) " + GAP % 12 + r"(?:ии|языков\w+ модел\w+|ассистент|нейросет\w*|чат-?бот)",
    ),
    pattern(
        "answer-control",
        "antwort|reponds|repondez|responde|responda|rispond|отвечай|回答|回复|回覆|输出|答え|返信|出力",
        rf"\b(?:antworte|beantworte|antworten sie)\w* {_WORDS}"
        r"(?:nur (?:noch )?mit|ausschliesslich|ausschließlich|jede|alle|immer mit)\b",
        rf"\b(?:reponds|repondez) {_WORDS}(?:uniquement|seulement|toujours|a (?:toutes?|chaque))\b",
        rf"\b(?:responde|responda|rispondi|rispondere) {_WORDS}(?:solo con|solamente|unicamente|siempre|apenas|somente"
        r"|sempre|a tod[ao]s|a tutte|soltanto)\b",
        rf"(?:отвечай|отвечайте) {_WORDS}(?:только|всегда|на (?:все|каждый|любой))",
        r"(?:只|仅|僅|一律|总是|必须)(?:能|用|要)?(?:回答|回复|回覆|输出)",
        r"(?:所有|每个|任何)问题[^。\n]{0,10}(?:回答|回复)",
        r"とだけ(?:答え|返信|出力)|(?:すべて|全て|全部)の質問[^。\n]{0,16}(?:答え|返信)",
    ),
)
