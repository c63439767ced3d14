"""What the payer sees at the provider: the form for the card, in English and Spanish."""

from html import escape

from chamberlain.card_provider.sessions import Session

_WORDS = {
    "en": {
        "title": "Pay by card",
        "demo": "Demonstration: no money moves, and every card is made up.",
        "card": "Card number",
        "hint": "4242 4242 4242 4242 pays, 4000 0000 0000 0002 is declined, "
        "4000 0000 0000 0077 pays with a delay",
        "expires": "Expires (MM/YY)",
        "cvc": "Security code",
        "pay": "Pay",
        "back": "Back without paying",
        "wrong": "This is no card of the demonstration; use one of the three below.",
        "over": "This page was used before.",
    },
    "es": {
        "title": "Pagar con tarjeta",
        "demo": "Demostración: no se mueve dinero y todas las tarjetas son inventadas.",
        "card": "Número de tarjeta",
        "hint": "4242 4242 4242 4242 paga, 4000 0000 0000 0002 se rechaza, "
        "4000 0000 0000 0077 paga con demora",
        "expires": "Vence (MM/AA)",
        "cvc": "Código de seguridad",
        "pay": "Pagar",
        "back": "Volver sin pagar",
        "wrong": "Esta no es una tarjeta de la demostración; use una de las tres de abajo.",
        "over": "Esta página ya se usó.",
    },
}
STYLE = """
body { font: 1rem/1.5 system-ui, sans-serif; margin: 0; background: #f0f0f0; color: #1b1b1b; }
main { max-width: 26rem; margin: 2rem auto; padding: 1.5rem; background: #fff; }
h1 { font-size: 1.375rem; margin: 0 0 .25rem; } .amount { font-size: 1.75rem; font-weight: 700; }
label { display: block; margin-top: 1rem; font-weight: 600; }
input { display: block; width: 100%; box-sizing: border-box; padding: .5rem; font: inherit;
  border: 1px solid #565c65; }
.hint { color: #565c65; font-size: .875rem; } .wrong { color: #b50909; font-weight: 600; }
button { margin-top: 1.25rem; padding: .625rem 1.25rem; font: inherit; font-weight: 700;
  border: 2px solid #005ea2; background: #005ea2; color: #fff; }
button.quiet { background: #fff; color: #005ea2; margin-left: .5rem; }
:focus-visible { outline: 4px solid #2491ff; }
"""


def payment_page(session: Session, is_wrong: bool = False) -> str:
    """The form for the card."""
    language = session.language if session.language in _WORDS else "en"
    words = _WORDS[language]
    wrong = f'<p class="wrong" role="alert" id="wrong">{words["wrong"]}</p>' if is_wrong else ""
    amount = f"${session.amount // 100:,}.{session.amount % 100:02d} {escape(session.currency)}"
    form = f"""
{wrong}<form method="post">
<label for="card">{words["card"]}</label>
<span class="hint" id="hint">{words["hint"]}</span>
<input id="card" name="card" inputmode="numeric" autocomplete="off" aria-describedby="hint">
<label for="expires">{words["expires"]}</label>
<input id="expires" name="expires" autocomplete="off">
<label for="cvc">{words["cvc"]}</label><input id="cvc" name="cvc" autocomplete="off">
<button name="do" value="pay">{words["pay"]}</button>
<button class="quiet" name="do" value="back">{words["back"]}</button></form>"""
    body = form if session.status == "open" else f"<p>{words['over']}</p>"
    return f"""<!DOCTYPE html><html lang="{language}"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{words["title"]}</title><style>{STYLE}</style></head><body><main>
<h1>{words["title"]}</h1><p class="hint">{words["demo"]}</p>
<p>{escape(session.description)}<br><span class="amount">{amount}</span></p>{body}
</main></body></html>"""
