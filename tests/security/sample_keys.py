"""Keys that look real and are not: made letter by letter, so that no scanner trips over them."""

import base64
import random
import string

ALNUM = string.ascii_letters + string.digits
WORD = ALNUM + "_-"
HEX = "0123456789abcdef"
CAPITAL = string.ascii_uppercase + string.digits
BASE64 = ALNUM + "+/"


def letters(count: int, alphabet: str = ALNUM, seed: object = 1) -> str:
    """The same ones each time; all kinds of the alphabet are among the first."""
    chance = random.Random(f"{count} {alphabet} {seed}")
    return "".join(chance.choice(alphabet) for _ in range(count))


def encoded(text: str) -> str:
    """As in a URL or a token: without padding."""
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


_HEADER, _CLAIMS = encoded('{"alg":"HS256","typ":"JWT"}'), encoded('{"sub":"1234567890"}')

KEYS = {
    # name: what is before it and stays, the key
    "anthropic": ("", "sk-ant-api03-" + letters(93, WORD) + "AA"),
    "anthropic oauth": ("", "sk-ant-oat01-" + letters(93, WORD) + "AA"),
    "anthropic admin": ("", "sk-ant-admin01-" + letters(93, WORD) + "AA"),
    "openai": ("", "sk-" + letters(20) + "T3BlbkFJ" + letters(20, seed=2)),
    "openai project": ("", "sk-proj-" + letters(74, WORD) + "T3BlbkFJ" + letters(74, WORD, 2)),
    "openai service": ("", "sk-svcacct-" + letters(74, WORD) + "T3BlbkFJ" + letters(74, WORD, 2)),
    "openai admin": ("", "sk-admin-" + letters(58, WORD) + "T3BlbkFJ" + letters(58, WORD, 2)),
    "openrouter": ("", "sk-or-v1-" + letters(64, HEX)),
    "deepseek": ("", "sk-" + letters(32, HEX)),
    "moonshot": ("", "sk-" + letters(48)),
    "langfuse": ("", "sk-lf-1b2c3d4e-0000-4444-8888-123456789abc"),
    "groq": ("", "gsk_" + letters(52)),
    "xai": ("", "xai-" + letters(80)),
    "perplexity": ("", "pplx-" + letters(48)),
    "replicate": ("", "r8_" + letters(37)),
    "hugging face": ("", "hf_" + letters(34)),
    "hugging face organization": ("", "api_org_" + letters(34)),
    "tavily": ("", "tvly-dev-" + letters(32)),
    "langsmith": ("", "lsv2_pt_" + letters(32, HEX) + "_" + letters(10, HEX)),
    "pinecone": ("", "pcsk_" + letters(6) + "_" + letters(63)),
    "github": ("", "ghp_" + letters(36)),
    "github oauth": ("", "gho_" + letters(36)),
    "github user": ("", "ghu_" + letters(36)),
    "github server": ("", "ghs_" + letters(36)),
    "github refresh": ("", "ghr_" + letters(76)),
    "github fine-grained": ("", "github_pat_" + letters(22) + "_" + letters(59)),
    "gitlab": ("", "glpat-" + letters(20, WORD)),
    "gitlab routable": ("", "glpat-" + letters(27, WORD) + ".01.a1b2c3d4e"),
    "gitlab deploy": ("", "gldt-" + letters(20, WORD)),
    "gitlab runner": ("", "glrt-" + letters(20, WORD)),
    "gitlab trigger": ("", "glptt-" + letters(40, HEX)),
    "gitlab feed": ("", "glft-" + letters(20, WORD)),
    "gitlab mail": ("", "glimt-" + letters(25, WORD)),
    "gitlab agent": ("", "glagent-" + letters(50, WORD)),
    "gitlab scim": ("", "glsoat-" + letters(20, WORD)),
    "gitlab job": ("", "glcbt-64_" + letters(20, WORD)),
    "gitlab flags": ("", "glffct-" + letters(20, WORD)),
    "gitlab oauth": ("", "gloas-" + letters(64, WORD)),
    "npm": ("", "npm_" + letters(36)),
    "pypi": ("", "pypi-AgEIcHlwaS5vcmc" + letters(85, WORD)),
    "pypi test": ("", "pypi-AgENdGVzdC5weXBpLm9yZw" + letters(85, WORD)),
    "rubygems": ("", "rubygems_" + letters(48, HEX)),
    "docker": ("", "dckr_pat_" + letters(27, WORD)),
    "artifactory": ("", "AKCp" + letters(69)),
    "atlassian": ("", "ATATT3xFfGF0" + letters(172, WORD) + "=" + letters(8, CAPITAL)),
    "buildkite": ("", "bkua_" + letters(40, HEX)),
    "pulumi": ("", "pul-" + letters(40, HEX)),
    "sentry user": ("", "sntryu_" + letters(64, HEX)),
    "sentry": (
        "",
        "sntrys_" + encoded('{"iat":1700000000.1,"url":"x"}') + "_" + letters(43, BASE64),
    ),
    "aws": ("", "AKIA" + letters(16, CAPITAL)),
    "aws session": ("", "ASIA" + letters(16, CAPITAL)),
    "aws bearer": ("", "ABIA" + letters(16, CAPITAL)),
    "aws secret": ("aws_secret_access_key = ", letters(40, BASE64)),
    "aws secret in the environment": ("AWS_SECRET_ACCESS_KEY=", letters(40, BASE64)),
    "aws secret in json": ('"SecretAccessKey": "', letters(40, BASE64)),
    "aws secret in code": ("secretAccessKey: '", letters(40, BASE64)),
    "bedrock": ("", "ABSKQmVkcm9ja0FQSUtleS" + letters(110, BASE64)),
    "bedrock short": ("", "bedrock-api-key-YmVkcm9jay5hbWF6b25hd3MuY29t" + letters(400, BASE64)),
    "google": ("", "AIzaSy" + letters(33, WORD)),
    "google client": ("", "GOCSPX-" + letters(28, WORD)),
    "google access": ("ya29.", letters(180, WORD)),
    "google refresh": ("", "1//0" + letters(99, WORD)),
    "azure storage": ("AccountName=a;AccountKey=", letters(86, BASE64) + "=="),
    "azure bus": ("SharedAccessKeyName=a;SharedAccessKey=", letters(43, BASE64) + "="),
    "azure signature": ("?sv=2024-01-01&sig=", letters(30) + "%2B" + letters(12) + "%3D"),
    "azure client": ("aBc8Q~", letters(34, WORD + ".~")),
    "digitalocean": ("", "dop_v1_" + letters(64, HEX)),
    "digitalocean oauth": ("", "doo_v1_" + letters(64, HEX)),
    "alibaba": ("", "LTAI" + letters(20)),
    "tencent": ("", "AKID" + letters(32)),
    "heroku": ("", "HRKU-AA" + letters(58, WORD)),
    "databricks": ("", "dapi" + letters(32, HEX)),
    "supabase": ("", "sbp_" + letters(40, HEX)),
    "planetscale": ("", "pscale_tkn_" + letters(43, WORD)),
    "fly": ("", "fm2_" + letters(300, BASE64)),
    "tailscale": ("", "tskey-auth-" + letters(12) + "CNTRL-" + letters(32)),
    "grafana": ("", "glsa_" + letters(32) + "_" + letters(8, HEX)),
    "grafana cloud": ("", "glc_eyJ" + letters(90)),
    "new relic": ("", "NRAK-" + letters(27, CAPITAL)),
    "vault": ("hvs.", "CAES" + letters(90, WORD)),
    "doppler": ("dp.pt.", letters(43)),
    "airtable": ("pat" + letters(14) + ".", letters(64, HEX)),
    "stripe": ("", "sk_live_" + letters(24)),
    "stripe long": ("", "sk_live_51" + letters(97)),
    "stripe restricted": ("", "rk_live_" + letters(24)),
    "stripe test": ("", "sk_test_" + letters(24)),
    "stripe webhook": ("", "whsec_" + letters(32)),
    "square": ("", "sq0atp-" + letters(22, WORD)),
    "shopify": ("", "shpat_" + letters(32, HEX)),
    "shopify secret": ("", "shpss_" + letters(32, HEX)),
    "slack bot": ("", "xoxb-1234567890123-1234567890123-" + letters(24)),
    "slack user": ("", "xoxp-123456789012-123456789012-123456789012-" + letters(32, HEX)),
    "slack workspace": ("", "xoxa-2-123456789012-" + letters(24)),
    "slack refresh": ("", "xoxe-1-" + letters(146)),
    "slack session": ("", "xoxs-123456789012-123456789012-" + letters(32, HEX)),
    "slack cookie": ("", "xoxd-" + letters(80) + "%2B" + letters(20)),
    "slack app": ("", "xapp-1-A0123456789-1234567890123-" + letters(64, HEX)),
    "slack webhook": ("https://hooks.slack.com/services/T01234567/B012345678/", letters(24)),
    "discord": (
        "",
        encoded("123456789012345678") + "." + letters(6, WORD) + "." + letters(38, WORD),
    ),
    "discord old": ("", encoded("80351110224678912") + "." + letters(6, WORD) + "." + letters(27)),
    "discord webhook": ("https://discord.com/api/webhooks/123456789012345678/", letters(68, WORD)),
    "telegram": ("123456789:", "AA" + letters(33, WORD)),
    "twilio": ("", "SK" + letters(32, HEX)),
    "sendgrid": ("SG.", letters(22, WORD) + "." + letters(43, WORD)),
    "postman": ("", "PMAK-" + letters(24, HEX) + "-" + letters(34, HEX)),
    "linear": ("", "lin_api_" + letters(40)),
    "notion": ("", "ntn_" + letters(46)),
    "figma": ("", "figd_" + letters(40, WORD)),
    "1password": ("", "ops_eyJ" + letters(250)),
    "age": ("", "AGE-SECRET-KEY-1" + letters(58, CAPITAL)),
    "jwt": ("", f"{_HEADER}.{_CLAIMS}.{letters(43, WORD)}"),
}


def wrapped(data: bytes, width: int) -> str:
    """Base64 in lines."""
    text = base64.b64encode(data).decode()
    return "\n".join(text[at : at + width] for at in range(0, len(text), width))


def _block(label: str, body: str) -> str:
    return f"-----BEGIN {label}-----\n{body}\n-----END {label}-----\n"


_chance = random.Random(12)
_ENCRYPTED = "Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,0123456789ABCDEF0123456789ABCDEF\n\n"

PRIVATE_KEYS = {
    "rsa": _block(
        "RSA PRIVATE KEY", wrapped(b"\x30\x82\x04\xa4\x02\x01\0" + _chance.randbytes(1185), 64)
    ),
    "pkcs8": _block(
        "PRIVATE KEY", wrapped(b"\x30\x82\x04\xbe\x02\x01\0" + _chance.randbytes(1211), 64)
    ),
    "ec": _block(
        "EC PRIVATE KEY", wrapped(b"\x30\x77\x02\x01\x01\x04 " + _chance.randbytes(114), 64)
    ),
    "ed25519": _block(
        "PRIVATE KEY", wrapped(b"\x30.\x02\x01\0\x30\x05\x06\x03+ep" + _chance.randbytes(36), 64)
    ),
    "encrypted": _block(
        "ENCRYPTED PRIVATE KEY", wrapped(b"\x30\x82\x05\x0e" + _chance.randbytes(1300), 64)
    ),
    "legacy": _block("RSA PRIVATE KEY", _ENCRYPTED + wrapped(_chance.randbytes(1192), 64)),
    "openssh": _block(
        "OPENSSH PRIVATE KEY",
        wrapped(b"openssh-key-v1\0\0\0\0\x04none" + _chance.randbytes(395), 70),
    ),
    "pgp": _block(
        "PGP PRIVATE KEY BLOCK",
        "Version: GnuPG v2\nComment: for tests\n\n"
        + wrapped(_chance.randbytes(1300), 64)
        + "\n=aB3d",
    ),
    "one line": _block(
        "PRIVATE KEY", wrapped(b"\x30\x82\x04\xbe\x02\x01\0" + _chance.randbytes(1211), 9999)
    ),
    "narrow": _block(
        "RSA PRIVATE KEY", wrapped(b"\x30\x82\x04\xa4\x02\x01\0" + _chance.randbytes(500), 20)
    ),
}


def body_lines(block: str) -> list[str]:
    """The lines of a block that are secret."""
    lines = block.splitlines()[1:-1]
    return [line for line in lines if line and ": " not in line]
