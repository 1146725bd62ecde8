"""Who is in the demo team, what was bought for it, and what was granted to whom?"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Group
from django.utils import timezone

from webchat.accounts.models import User
from webchat.allocation.models import Allocation, APIToken, LedgerEntry, ModelInfo, fingerprint
from webchat.launcher import DEMO_KEY

PASSWORD = "webchat-demo"  # noqa: S105 (it is printed on the screen)
SPENT_KEY = "sk-demo-spent-0000-no-secret-of-anybody"
MADE_UP_KEY = "sk-demo-made-up-0000-no-secret-of-anybody"
DAYS = 30


@dataclass(frozen=True)
class Person:
    """Works as a member of a group, and asks so often on a working day, with these models."""

    name: str
    first: str
    last: str
    group: str = ""
    calls: float = 0
    models: tuple[str, ...] = ()


# The first three sign in; whoever is only there to be looked at cannot.
SIGN_IN = ("admin", "alice", "bob")
PEOPLE = (
    Person("admin", "Ada", "Admin", "", 2, ("gpt-4",)),
    Person("alice", "Alice", "Keller", "Research", 16, ("gpt-4-1106-preview", "gpt-4", "claude-2.1")),
    Person("bob", "Bob", "Osei", "Research", 11, ("gpt-3.5-turbo", "gpt-4")),
    Person("chen", "静", "陈", "Research", 21, ("qwen-plus", "gpt-4", "chatglm_pro")),
    Person("dora", "Dora", "Novak", "Research", 18, ("gpt-4", "gpt-4-1106-preview")),
    Person("emil", "Emil", "Lind", "", 14, ("gpt-3.5-turbo", "claude-2.1")),
    Person("fatima", "Fatima", "Said", "Support", 27, ("gpt-3.5-turbo", "qwen-plus")),
    Person("grace", "Grace", "Murphy", "Support", 24, ("gpt-3.5-turbo", "ERNIE-Bot-4")),
    Person("hiro", "Hiro", "Tanaka", "Support", 9, ("gpt-3.5-turbo", "gemini-pro")),
    Person("ines", "Inês", "Duarte", "Product", 12, ("claude-2.1", "gpt-4")),
    Person("jonas", "Jonas", "Weber", "Product", 8, ("gpt-4", "qwen-plus")),
    Person("lin", "晓", "林", "Product", 15, ("qwen-plus", "SparkDesk", "gpt-4")),
)


@dataclass(frozen=True)
class Grant:
    """To a person or a group. What is for once is used until so much of it is spent."""

    holder: str
    reason: str
    terms: dict[str, Any] = field(default_factory=dict)
    used_until: float | None = None
    ended_days_ago: int | None = None


GRANTS = (
    Grant("Research", "Budget of the research group", {"token_limit": 2_000_000, "cost_limit": Decimal(40)}),
    Grant(
        "Support",
        "Answers to customers, each week",
        {"token_limit": 600_000, "period": "week", "requests_per_minute": 30, "answers_at_once": 10},
    ),
    Grant("Product", "Budget of the product group", {"cost_limit": Decimal(25)}),
    Grant("alice", "Own budget, for the survey", {"token_limit": 2_000_000, "cost_limit": Decimal(40)}),
    Grant("bob", "Own budget", {"cost_limit": Decimal(20)}),
    Grant("dora", "Evaluation of models", {"cost_limit": Decimal(8), "period": "once"}, used_until=0.94),
    Grant("emil", "Contract until the fair", {"token_limit": 200_000, "period": "once"}, used_until=1),
    Grant(
        "grace",
        "Translation of the help pages",
        {"token_limit": 400_000, "period": "once", "allowed_models": ["gpt-3.5-turbo", "ERNIE-Bot-4"]},
        used_until=0.91,
    ),
    Grant("hiro", "Trial period", {"token_limit": 40_000, "period": "day"}),
    Grant("ines", "Launch in autumn", {"cost_limit": Decimal(10), "period": "once"}, ended_days_ago=6),
    Grant("admin", "To try things", {"token_limit": 300_000}),
)

# Per million tokens: of the question, and of the answer.
PRICES = {
    "gpt-3.5-turbo": ("1", "2"),
    "gpt-4": ("30", "60"),
    "gpt-4-1106-preview": ("10", "30"),
    "gpt-4-all": ("30", "60"),
    "gpt-4-vision-preview": ("10", "30"),
    "bing": ("2", "2"),
    "claude-2.1": ("8", "24"),
    "gemini-pro": ("0.50", "1.50"),
    "chatglm_pro": ("1.40", "1.40"),
    "SparkDesk": ("2.50", "2.50"),
    "qwen-plus": ("2.80", "2.80"),
    "ERNIE-Bot-4": ("17", "17"),
}
OTHER_PRICES = {
    "tts-1": {"character_price": Decimal(15)},
    "tts-1-hd": {"character_price": Decimal(30)},
    "whisper-1": {"minute_price": Decimal("0.006")},
    "dall-e-3": {"image_price": Decimal("0.04")},
}


def sign_up_team() -> None:
    """Whoever is there already stays as they are."""
    here = set(User.objects.values_list("username", flat=True))
    # Once for all three: making it slow is what hashing is for.
    password = make_password(PASSWORD)
    for person in PEOPLE:
        if person.name in here:
            continue
        create = User.objects.create_superuser if person.name == "admin" else User.objects.create_user
        user = create(
            person.name, f"{person.name}@example.org", first_name=person.first, last_name=person.last
        )
        if person.name in SIGN_IN:
            user.password = password
            user.save(update_fields=["password"])
        if person.group:
            user.groups.add(Group.objects.get_or_create(name=person.group)[0])


def set_prices() -> None:
    """Of models that have none; those of an admin stay."""
    prices: dict[str, dict[str, Decimal]] = {
        name: {"prompt_price": Decimal(prompt), "completion_price": Decimal(completion)}
        for name, (prompt, completion) in PRICES.items()
    }
    for name, known in (prices | OTHER_PRICES).items():
        kind = {"tts": "speech", "whi": "transcription", "dal": "image"}.get(name[:3], "chat")
        model, _is_new = ModelInfo.objects.get_or_create(name=name, defaults={"kind": kind})
        if not any(model.prices.values()):
            ModelInfo.objects.filter(pk=model.pk).update(**known)


def has_history() -> bool:
    return APIToken.objects.filter(fingerprint=fingerprint(SPENT_KEY)).exists()


def buy_tokens() -> tuple[APIToken, APIToken]:
    """One that is used up, and the one that took its place. Neither opens anything but the demo upstream."""
    today = timezone.localdate()
    bought = {"vendor": "Demo", "price_paid": Decimal("200.00"), "note": "Made up by seed_demo."}
    spent = _token(SPENT_KEY, "Team, first", is_active=False, last_error="no_credit", **bought)
    # With another upstream nothing may be asked of a token that is made up.
    is_demo = not settings.UPSTREAM_BASE_URL
    secret, label = (DEMO_KEY, "UPSTREAM_API_KEY") if is_demo else (MADE_UP_KEY, "Team, second")
    current = _token(secret, label, is_active=is_demo, is_imported=is_demo, **bought)
    bought_on = {spent: today - timedelta(days=DAYS + 10), current: today - timedelta(days=DAYS // 2)}
    for token, day in bought_on.items():
        APIToken.objects.filter(pk=token.pk).update(bought_on=day, expires_on=day + timedelta(days=365))
    return spent, current


def _token(secret: str, label: str, **facts: Any) -> APIToken:
    found = APIToken.objects.filter(fingerprint=fingerprint(secret)).first()
    token = found or APIToken.objects.all().add(secret, label=label, base_url="http://127.0.0.1:8001")
    APIToken.objects.filter(pk=token.pk).update(**facts)
    return token


def grant_all(begun_at: datetime) -> dict[str, Allocation]:
    """By whom they are for, as if it had been done before the month began."""
    admin = User.objects.get(username="admin")
    people = {user.username: user for user in User.objects.filter(username__in=[one.name for one in PEOPLE])}
    granted = {}
    for grant in GRANTS:
        user = people.get(grant.holder)
        group = None if user else Group.objects.get(name=grant.holder)
        allocation = Allocation(user=user, group=group, created_at=begun_at, **grant.terms)
        if grant.ended_days_ago:
            allocation.valid_until = timezone.now().replace(microsecond=0) - timedelta(
                days=grant.ended_days_ago
            )
        allocation.full_clean()
        allocation.save()
        entry = LedgerEntry(
            allocation=allocation,
            kind=LedgerEntry.Kind.GRANT,
            actor=admin,
            reason=grant.reason,
            terms=allocation.terms(),
            created_at=begun_at,
        )
        entry.checksum = entry.digest()
        entry.save()
        granted[grant.holder] = allocation
    return granted
