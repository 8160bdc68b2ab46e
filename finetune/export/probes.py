"""Short conversations on which an exported model is compared with the trained one, in many kinds of writing.

They are there to make tokens and predictions, not to be answered well.
"""

from __future__ import annotations

from doceo.core.records import Message


def _talk(*turns: str, system: str = "") -> tuple[Message, ...]:
    """Return a conversation whose turns are the user's and the assistant's in alternation."""
    first = (Message(role="system", content=system),) if system else ()
    rest = (Message(role="assistant" if n % 2 else "user", content=text) for n, text in enumerate(turns))
    return (*first, *rest)


PROBES = (
    _talk("What is a chunk?", "A chunk is a passage of a document."),
    _talk(
        "When was the bridge opened, and how long is it?",
        "It was opened on 14 May 1911; its main span is 182.5 metres long.",
        system="You answer questions about the documents. Be brief.",
    ),
    _talk(
        "Hello!",
        "Good morning. What would you like to know?",
        "How do I list the files of a folder?",
        "Use `ls -la FOLDER`; on Windows it is `dir`.",
    ),
    _talk(
        "Write a function that adds two numbers.",
        "def add(a: int, b: int) -> int:\n    return a + b\n\n\nprint(add(2, 40))  # 42",
    ),
    _talk("Wie heißt die Brücke über den Fluss?", "Sie heißt Königsbrücke; früher hieß sie Große Straßenbrücke."),
    _talk("Translate 'good morning' into Japanese and Russian.", "おはようございます。Доброе утро!"),
    _talk("Is it open on Sundays? 🤔", "No… it's closed 🙂, but we'll open at 9:30 on Monday."),
    _talk(
        "Two  spaces,\ttabs,\n\n\nthree new lines and 1234567890 digits; what's   that?",
        "You've written white space and digits.",
    ),
    _talk("Which rows have a price over 1,000?", "| item | price |\n|---|---|\n| loom | 1,250.00 |\n| wheel | 3,099 |"),
    _talk('Return JSON with the name "Ada" and the year.', '{"name": "Ada", "year": 1843, "tags": ["loom", "x_y-z"]}'),
    _talk(
        "Who wrote the first program?",
        "Ada Lovelace, in 1843.",
        "And why?",
        "She wanted to show what the engine could compute.",
        "Thank you.",
        "You are welcome.",
        system="Answer from the passages only.",
    ),
    _talk("I'M SHOUTING: WHERE'S THE KEY?!", "It hangs behind the door, on the left-hand side."),
)
