"""E-mail (RFC 5322), by the standard library: who, when, subject, and the text. Attachments are only named."""

from __future__ import annotations

from email import policy
from email.errors import MessageError
from email.message import EmailMessage
from email.parser import BytesParser

from data.cleaning import normalise
from data.loaders.html import page_text
from data.loaders.loaded import Loaded, Unreadable

_SHOWN = ("From", "To", "Cc", "Date", "Subject")


def load_eml(content: bytes, limit: int) -> Loaded:
    """Read one message; plain text is preferred to HTML."""
    if not content.strip():
        raise Unreadable("empty", "the file holds no text")
    try:
        message = BytesParser(policy=policy.default).parsebytes(content)
        lines = [f"- {name}: {message[name]}" for name in _SHOWN if message[name]]
        body = message.get_body(preferencelist=("plain", "html"))
        text = _text(body) if isinstance(body, EmailMessage) else ""
        files = [name for part in message.iter_attachments() if (name := part.get_filename())]
    except (MessageError, LookupError, ValueError, TypeError, AttributeError) as error:
        raise Unreadable("damaged", f"not a message that can be read ({type(error).__name__}: {error})") from error
    lines += [f"- Attachments: {', '.join(files)}"] if files else []
    if not (lines or text.strip()):
        raise Unreadable("empty", "the message holds no text")
    whole = normalise("\n".join(lines) + "\n\n" + text)
    return Loaded(text=whole, media_type="message/rfc822", title=str(message["Subject"] or ""))


def _text(body: EmailMessage) -> str:
    content = body.get_content()
    text = content if isinstance(content, str) else ""
    return page_text(text)[0] if body.get_content_subtype() == "html" else text
