"""The shapes of well-known API keys: where they are in a text, and where one may be cut off.

A key begins at a word's boundary: `sk-` inside `task-…` begins none. A few keys have no shape
of their own and are known by what is before them (`AccountKey=`); only the key is a secret.

Sources: https://docs.github.com/code-security/secret-scanning/introduction/supported-secret-scanning-patterns,
https://docs.gitlab.com/user/application_security/secret_detection/detected_secrets/ and the pages
of the providers that are named at the rows.
"""

CONTEXT_BYTES = 128
"""How much of the text before a key may be looked at."""

_ALNUM = rb"[A-Za-z0-9]"
_WORD = rb"[A-Za-z0-9_-]"
_LOWER_HEX = rb"[0-9a-f]"
_HEX = rb"[0-9A-Fa-f]"
_CAPITAL = rb"[A-Z0-9]"
_MIXED = rb"(?=[A-Za-z_-]{0,300}[0-9])(?=[a-z0-9_-]{0,300}[A-Z])"
"""Before a long key: `sk-admin-…` may be the class of a page's element. Each pattern looks at no
more than a key's length: a hostile text would take the time of its square."""
Shape = tuple[bytes, bytes, bytes, bytes]
"""A key with a beginning of its own: what must be before it; literals, parted by spaces; what
follows one; every beginning of that. All but the literals are patterns."""

_ALONE = rb"(?:(?<![^\n][-+/])|(?<=-[0-9]-)|(?<=-[0-9][0-9]-)|(?<=-[0-9][0-9][0-9]-))"
"""After a dash or the like only where that is a diff's, or `grep -n` has `path-12-`. Short literals
are in base64, and in the names of files, by chance."""


def _run(
    starts: bytes, letters: bytes, minimum: int, maximum: int, *, before: bytes = b""
) -> Shape:
    """A shape of one alphabet; one of a fixed length is not the beginning of a longer word."""
    after = b"(?!%s)" % letters if minimum == maximum else b""
    rest = b"%s{%d,%d}%s" % (letters, minimum, maximum, after)
    return before, starts, rest, b"%s{0,%d}" % (letters, maximum)


DISCORD_SECONDS = (b"D", b"T", b"j", b"z")
"""What may follow the first letter of Discord's: base64 of a number's digits."""

SHAPES = (
    # Agents' models
    (
        b"",
        b"sk-ant- sk-proj- sk-svcacct- sk-admin-",
        _MIXED + rb"[A-Za-z0-9_-]{20,300}",
        rb"[A-Za-z0-9_-]{0,300}",
    ),
    _run(b"sk-or-v1-", _LOWER_HEX, 32, 128),
    _run(b"sk-lf-", rb"[0-9a-f-]", 36, 36),
    (
        b"",
        b"sk-",  # OpenAI until 2024
        rb"[A-Za-z0-9]{20}T3BlbkFJ[A-Za-z0-9]{20}",
        rb"[A-Za-z0-9]{0,48}",
    ),
    (  # DeepSeek, Moonshot, OpenAI until 2023; `sk-….js` is a file in Slovak
        _ALONE,
        b"sk-",
        rb"[A-Za-z0-9]{32,64}(?![A-Za-z0-9_-]|\.[A-Za-z])",
        rb"[A-Za-z0-9]{0,65}\.?",
    ),
    _run(b"gsk_", _ALNUM, 50, 60),  # Groq
    _run(b"xai-", _ALNUM, 70, 90),
    _run(b"pplx-", _ALNUM, 40, 60),
    _run(b"r8_", _ALNUM, 37, 37, before=_ALONE),  # Replicate
    _run(b"hf_", _ALNUM, 34, 64, before=_ALONE),  # Hugging Face
    _run(b"api_org_", _ALNUM, 34, 64),
    _run(b"tvly-", _WORD, 30, 80),
    _run(b"lsv2_pt_ lsv2_sk_", rb"[A-Za-z0-9_]", 40, 60),  # LangSmith
    _run(b"pcsk_", rb"[A-Za-z0-9_]", 40, 90),  # Pinecone
    # Code and packages
    _run(b"ghp_ gho_ ghu_ ghs_ ghr_", _ALNUM, 36, 255),
    _run(b"github_pat_", rb"[A-Za-z0-9_]", 50, 255),
    _run(
        b"glpat- gldt- glrt- glrtr- glptt- glft- glimt- glagent- glsoat- glcbt- glffct- gloas- "
        b"glwt-",
        rb"[A-Za-z0-9_.-]",
        20,
        320,
    ),
    _run(b"npm_", _ALNUM, 36, 64),
    _run(b"pypi-AgEIcHlwaS5vcmc pypi-AgENdGVzdC5weXBpLm9yZw", _WORD, 40, 1000),
    _run(b"rubygems_", _LOWER_HEX, 48, 48),
    _run(b"dckr_pat_ dckr_oat_", _WORD, 27, 64),
    _run(b"AKCp", _ALNUM, 69, 69),  # Artifactory
    _run(b"ATATT3 ATCTT3", rb"[A-Za-z0-9_=.-]", 150, 300),  # Atlassian
    _run(b"bkua_", _LOWER_HEX, 40, 40),
    _run(b"pul-", _LOWER_HEX, 40, 40),
    _run(b"sntryu_", _LOWER_HEX, 64, 64),
    _run(b"sntrys_eyJ", rb"[A-Za-z0-9+/=_-]", 60, 400),
    # Clouds
    _run(b"AKIA ASIA ABIA ACCA", rb"[A-Z0-9]", 16, 16),
    _run(b"ABSKQmVkcm9ja0FQSUtleS", rb"[A-Za-z0-9+/=]", 60, 300),  # Amazon Bedrock
    _run(b"bedrock-api-key-YmVkcm9jay5hbWF6b25hd3MuY29t", rb"[A-Za-z0-9+/=]", 60, 3000),
    _run(b"AIza", _WORD, 35, 35),  # Google
    _run(b"1//0", _WORD, 40, 200),
    _run(b"GOCSPX-", _WORD, 28, 28),
    _run(b"dop_v1_ doo_v1_ dor_v1_", _LOWER_HEX, 64, 64),  # DigitalOcean
    _run(b"LTAI", _ALNUM, 20, 20),  # Alibaba
    _run(b"AKID", _ALNUM, 32, 32),  # Tencent
    _run(b"HRKU-AA", _WORD, 58, 58),  # Heroku
    _run(b"dapi", _LOWER_HEX, 32, 32),  # Databricks
    _run(b"sbp_", _LOWER_HEX, 40, 40),  # Supabase
    _run(b"sb_secret_", _WORD, 22, 64),
    _run(b"pscale_tkn_ pscale_oauth_ pscale_pw_", rb"[A-Za-z0-9_=.-]", 32, 64),
    _run(b"fm2_ fm1r_ fm1a_ fo1_", rb"[A-Za-z0-9+/=_-]", 43, 1000),  # Fly
    _run(b"tskey-auth- tskey-api- tskey-client-", _WORD, 20, 90),
    _run(b"glsa_", rb"[A-Za-z0-9_]", 41, 41),  # Grafana
    _run(b"glc_eyJ", rb"[A-Za-z0-9+/=]", 40, 400),
    _run(b"NRAK-", _CAPITAL, 27, 27),  # New Relic
    # Money, messages, work
    _run(b"sk_live_ sk_test_ sk_prod_ rk_live_ rk_test_ rk_prod_", _ALNUM, 16, 250),  # Stripe
    _run(b"whsec_", _ALNUM, 32, 64),
    _run(b"sq0atp- sq0csp-", _WORD, 22, 64),  # Square
    _run(b"shpat_ shpca_ shppa_ shpss_", _HEX, 32, 32),  # Shopify
    (  # Slack
        b"",
        b"xoxb- xoxp- xoxs- xoxe- xoxo- xoxc- xwfp- xapp-",
        rb"[0-9][A-Za-z0-9-]{19,300}",
        rb"[A-Za-z0-9-]{0,301}",
    ),
    (
        b"",
        b"xoxa- xoxr-",
        rb"(?:[0-9]{1,16}-){0,3}[A-Za-z0-9]{20,250}",
        rb"[A-Za-z0-9-]{0,301}",
    ),
    _run(b"xoxd-", rb"[A-Za-z0-9%+/_-]", 40, 400),
    _run(b"SK", _HEX, 32, 32, before=_ALONE),  # Twilio
    _run(b"PMAK-", _WORD, 59, 59),  # Postman
    _run(b"lin_api_ lin_oauth_", _ALNUM, 40, 64),
    _run(b"ntn_", _ALNUM, 40, 64),  # Notion
    _run(b"figd_", _WORD, 38, 64),
    _run(b"ops_eyJ", rb"[A-Za-z0-9+/=_-]", 200, 2000),  # 1Password
    # Formats
    _run(b"AGE-SECRET-KEY-1", _CAPITAL, 58, 58),  # https://age-encryption.org/v1
    (  # https://datatracker.ietf.org/doc/html/rfc7519: header, claims, signature
        b"",
        b"eyJ",
        rb"[A-Za-z0-9_-]{16,1500}\.eyJ[A-Za-z0-9_-]{6,6000}\.[A-Za-z0-9_-]{16,1500}",
        rb"[A-Za-z0-9_-]{0,1500}(?:\.(?:e?|ey?|eyJ[A-Za-z0-9_-]{0,6000}(?:\.[A-Za-z0-9_-]{0,1500})?))?",
    ),
    (  # Discord's bots: the first part is a number in base64
        b"",
        b"M N O",
        rb"[DTjz][AEIMQUYcgk][wxyz0-5](?:[MNO][DTjz][AEIMQUYcgk][wxyz0-5]){4,5}"
        rb"[A-Za-z0-9]{0,3}\.[A-Za-z0-9_-]{6}\.[A-Za-z0-9_-]{27,38}",
        rb"(?:[DTjz](?:[AEIMQUYcgk](?:[wxyz0-5][A-Za-z0-9_.-]{0,72})?)?)?",
    ),
)

_SEPARATOR = rb"(?:\\{0,15}[\"'`])?[ \t]{0,4}(?:=>|[:=>,])[ \t]{0,4}(?:\\{0,15}[\"'`])?"

CONTEXT_MARKS = (b"ccess", b"CCESS", b"ccountKey", b"sig=", b"hooks")
"""One of them is before every key that is known by what is before it, but Entra's."""
LONG_STARTS = (
    b"eyJ",
    b"bedrock-api-key-",
    b"ops_eyJ",
    b"pypi-AgE",
    b"fm",
    b"fo1_",
    b"ya29.",
    b"sntrys_",
    b"xox",
    b"glc_",
)
CONTEXTS = (
    # What is before the key, the key, every beginning of it
    (  # https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_access-keys.html
        rb"(?i:secret_?access_?key)" + _SEPARATOR,
        rb"[A-Za-z0-9+/]{40}(?![A-Za-z0-9+/=])",
        rb"[A-Za-z0-9+/]{0,41}",
    ),
    (  # Azure's storage, service bus and event hubs
        rb"(?:AccountKey|SharedAccessKey)(?:=|\\{1,15}u003[dD])",
        rb"[A-Za-z0-9+/]{40,100}={0,2}",
        rb"[A-Za-z0-9+/=]{0,102}",
    ),
    (  # https://learn.microsoft.com/azure/storage/common/storage-sas-overview
        rb"(?<![A-Za-z0-9])sig=",
        rb"(?:[A-Za-z0-9]|%2[BbFf]){40,48}%3[Dd]",
        rb"[A-Za-z0-9%]{0,100}",
    ),
    (  # https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks
        rb"hooks\.slack\.com/(?:services|workflows|triggers)/[A-Z0-9/]{6,60}/",
        rb"[A-Za-z0-9]{20,80}",
        rb"[A-Za-z0-9]{0,80}",
    ),
    (
        rb"discord(?:app)?\.com/api/webhooks/[0-9]{17,20}/",
        rb"[A-Za-z0-9_-]{60,80}",
        rb"[A-Za-z0-9_-]{0,80}",
    ),
)
ENTRA = (  # a client secret of Microsoft Entra ID: what is before it, it, every beginning of it
    rb"(?<=[78]Q~)(?<=[A-Za-z0-9_~.]{6})",
    rb"[A-Za-z0-9_~.-]{31,34}(?![A-Za-z0-9_~-])",
    rb"[A-Za-z0-9_~.-]{0,35}",
)

AFTER = (
    # What comes right before the key, of a fixed length; the key; every beginning of it
    (rb"(?<=SG\.)(?<![A-Za-z0-9_]SG\.)", rb"[\w-]{20,24}\.[\w-]{39,50}", rb"[\w.-]{0,76}"),
    (rb"(?<=ya29\.)", rb"[\w.-]{30,2000}", rb"[\w.-]{0,2000}"),  # Google
    (rb"(?<=[0-9]{8}:)", rb"AA[\w-]{33}(?![\w-])", rb"A(?:A[\w-]{0,33})?"),  # Telegram
    (rb"(?<=hv[sbr]\.)", rb"[\w-]{80,300}", rb"[\w-]{0,300}"),  # Vault
    (rb"(?<=dp\.[a-z]{2}\.)", rb"[A-Za-z0-9]{40,44}", rb"[A-Za-z0-9]{0,44}"),  # Doppler
    (rb"(?<=pat[A-Za-z0-9]{14}\.)", rb"[0-9a-f]{64}(?![\w-])", rb"[0-9a-f]{0,64}"),  # Airtable
)
