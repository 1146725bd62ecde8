"""What may be sent? The composer's fields, with the API's own rules said in words before anything is asked."""

import uuid
from itertools import groupby
from typing import Any, cast

import msgspec
from django import forms
from django.conf import settings
from django.http import QueryDict
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from webchat.allocation import catalogue
from webchat.allocation.models import ModelInfo, Need
from webchat.chat import prompt
from webchat.chat.models import Conversation, Parameters
from webchat.upstream import rules, tokens
from webchat.upstream.rules import Range
from webchat.upstream.wire import Message as ChatMessage


class WordsField(forms.CharField):
    """Words as a database takes them: PostgreSQL no NUL, UTF-8 no lone surrogate."""

    def to_python(self, value: Any) -> str:
        words = super().to_python(value) or ""
        return words.replace("\0", "").encode("utf-8", "replace").decode()


class QuestionForm(forms.Form):
    """A question's text, and the id that makes it happen once however often it is sent."""

    text = WordsField(strip=False, required=False)
    client_id = forms.UUIDField(
        required=False,
        widget=forms.HiddenInput,
        error_messages={
            "invalid": gettext_lazy("This page's form is damaged. Reload the page and send again.")
        },
    )

    def clean_text(self) -> str:
        text: str = self.cleaned_data["text"].strip("\r\n").replace("\r\n", "\n")
        if not text.strip():
            raise forms.ValidationError(_("Write a message first."))
        if len(text) > settings.MESSAGE_MAX_CHARS:
            raise forms.ValidationError(
                _(
                    "This message has %(length)d characters; at most %(limit)d can be sent. Shorten or split it."
                )
                % {"length": len(text), "limit": settings.MESSAGE_MAX_CHARS}
            )
        return text

    def clean_client_id(self) -> uuid.UUID:
        return self.cleaned_data["client_id"] or uuid.uuid4()


def number(field: type[forms.IntegerField], allowed: Range, **kwargs: Any) -> forms.IntegerField:
    """A parameter of the API that may stay open. What it may be is checked by `rules`, with the reason in words."""
    # No type=number: what it cannot read a browser sends as nothing, and nothing would be said about it.
    attrs = {"inputmode": "decimal", "autocomplete": "off"}
    if allowed.default:
        attrs["placeholder"] = f"{allowed.default:g}"
    return field(required=False, widget=forms.TextInput(attrs=attrs), **kwargs)


class ModelField(forms.ChoiceField):
    """One that is offered, or the conversation's own, even when it is gone."""

    kept = ""

    def valid_value(self, value: Any) -> bool:
        return value == self.kept or super().valid_value(value)


class ComposerForm(QuestionForm):
    """A question, and with what it is asked. The conversation keeps the parameters."""

    model = ModelField(
        label=gettext_lazy("Model"),
        required=False,
        error_messages={
            "invalid_choice": gettext_lazy("There is no model “%(value)s” here. Choose another one.")
        },
    )
    system = WordsField(
        label=gettext_lazy("Instructions"),
        required=False,
        max_length=20_000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=gettext_lazy("Sent before the conversation, for every answer in it."),
    )
    temperature = number(
        forms.FloatField,
        rules.TEMPERATURE,
        label=gettext_lazy("Temperature"),
        help_text=gettext_lazy("0 to 1. Low is sure and repeatable, high is varied; 0.3 is recommended."),
    )
    top_p = number(
        forms.FloatField,
        rules.TOP_P,
        label="top_p",
        help_text=gettext_lazy("Another way to limit variety. Change this or the temperature, not both."),
    )
    max_tokens = number(
        forms.IntegerField,
        rules.MAX_TOKENS,
        label="max_tokens",
        help_text=gettext_lazy(
            "The longest answer. Together with the question it must fit the model's context."
        ),
    )
    n = number(
        forms.IntegerField,
        rules.N,
        label=gettext_lazy("Number of answers (n)"),
        help_text=gettext_lazy("1 to 5; only 1 with a temperature below 0.3."),
    )

    # Set when the form is right but nothing is left to spend.
    is_refused = False
    # What it could cost at most, where that was asked.
    forecast = ""
    # What there will be to read before the next question, as far as it is known without reading it.
    tokens_so_far = 0
    need: Need
    prompt: list[ChatMessage]
    # An answer that arrives now will say more by the time when this is asked.
    prompt_is_final = True

    def __init__(
        self,
        data: QueryDict | None = None,
        *,
        conversation: Conversation | None,
        after: uuid.UUID | None = None,
        follows_another: bool = False,
    ) -> None:
        self.conversation = conversation
        self.after = after
        self.follows_another = follows_another
        self.kept = conversation.parameters if conversation else None
        super().__init__(data, initial={"client_id": uuid.uuid4(), **(vars(self.kept) if self.kept else {})})
        field = cast(ModelField, self.fields["model"])
        field.kept = self.kept.model if self.kept else ""
        field.choices = lambda: self.model_choices

    def fresh(self) -> "ComposerForm":
        """For the next question, after this one was taken."""
        fresh = ComposerForm(conversation=self.conversation, follows_another=True)
        fresh.tokens_so_far = self.need.prompt_tokens
        return fresh

    @cached_property
    def model_choices(self) -> list[Any]:
        # Only when they are shown, or another one was chosen: it is a query.
        return model_choices(catalogue.chat_models(), self.kept.model if self.kept else "")

    @property
    def default_model(self) -> str:
        return self.kept.model if self.kept else first_choice(self.model_choices)

    @property
    def action_url(self) -> str:
        if self.conversation:
            return reverse("chat:messages", kwargs={"pk": self.conversation.pk})
        return reverse("chat:conversations")

    @property
    def estimate_url(self) -> str:
        if self.conversation:
            return reverse("chat:estimate", kwargs={"pk": self.conversation.pk})
        return reverse("chat:estimate_first")

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if self.errors:
            return cleaned
        for violation in self._violations():
            field = violation.field if violation.field in self.fields else "text"
            self.add_error(field, violation.message)
        return cleaned

    def _violations(self) -> list[rules.Violation]:
        asked_with = self.parameters
        self.prompt = self._messages()
        messages = msgspec.to_builtins(self.prompt)
        prompt_tokens = tokens.estimate_messages(messages)
        self.need = Need(
            prompt_tokens=prompt_tokens,
            max_tokens=asked_with.max_tokens,
            room=self.known.room_after(prompt_tokens),
            n=asked_with.n,
        )
        return rules.check_chat(
            messages,
            asked_with.model,
            temperature=asked_with.temperature,
            top_p=asked_with.top_p,
            max_tokens=asked_with.max_tokens,
            n=asked_with.n,
            prompt_tokens=prompt_tokens,
            context_length=self.known.room,
            spec=self.known.known,
        )

    def _messages(self) -> list[ChatMessage]:
        messages = prompt.instructions(self.parameters.system)
        if self.conversation:
            said = prompt.said(self.conversation, self.after)
            self.prompt_is_final = said.is_final
            messages = [*messages, *said.messages]
        messages = [*messages, ChatMessage("user", self.cleaned_data["text"])]
        return prompt.as_taken_by(self.known, messages)

    @property
    def parameters(self) -> Parameters:
        """What was chosen; a field that was not sent at all keeps what the conversation has."""
        n, temperature = self._chosen("n"), self._chosen("temperature")
        return Parameters(
            model=self.known.name,
            system=(self._chosen("system") or "").strip(),
            temperature=self.known.only_temperature if temperature is None else temperature,
            top_p=self._chosen("top_p"),
            max_tokens=self._chosen("max_tokens"),
            n=1 if n is None else n,
        )

    @cached_property
    def known(self) -> ModelInfo:
        return ModelInfo.find(self.cleaned_data["model"] or self.default_model)

    def _chosen(self, name: str) -> Any:
        return self.cleaned_data[name] if name in self.data else self.initial.get(name)


def model_choices(models: list[ModelInfo], current: str) -> list[Any]:
    """The models by their owner, as the upstream orders them; the current one stays even when it is gone."""
    by_owner = groupby(models, key=lambda model: model.owned_by)
    choices: list[Any] = [(owner, [(m.name, str(m)) for m in group]) for owner, group in by_owner]
    if current and all(current != model.name for model in models):
        choices.append((_("No longer offered"), [(current, current)]))
    return choices


def first_choice(choices: list[Any]) -> str:
    return next((name for _owner, models in choices for name, _label in models), "")
