"""What happened: one maker for each payload type."""

from collections.abc import Callable, Sequence
from random import Random
from typing import Any, TypeVar

from consumer.sandbox.generator.user import User

T = TypeVar("T")
Fields = dict[str, Any]

# How often a plain event is of which type; the sum does not matter. Aliased stands for each of a visitor's three
# events.
WEIGHTS: dict[str, float] = {
    "Engagement": 34,
    "EmailOpened": 22,
    "PageVisited": 14,
    "CustomEvent": 11,
    "Identified": 5,
    "LoggedIn": 4,
    "CaptureEvent": 3.5,
    "ProfileUpdated": 3,
    "PurchaseConfirmed": 2,
    "DeviceRegistered": 1,
    "Aliased": 1.5,
}

# registration_email/opened is left out: opens travel as EmailOpened, so that a window sees every one of them.
_PAIRS = (
    ("registration_email", "sent"),
    ("registration_email", "delivered"),
    ("registration_sms", "sent"),
    ("registration_sms", "delivered"),
    ("registration_sms", "failed"),
    ("user_collectible", "viewed"),
    ("USER_COLLECTIBLE", "Viewed"),
    ("user_collectible", "downloaded"),
    ("page_visit", "viewed"),
)
_UNREGISTERED_PAIRS = (("registration_sms", "opened"), ("user_collectible", "shared"), ("newsletter", "sent"))
_EXPERIENCES = ("47Gop5", "9kTz1B", "Qm3xW8", "c7Lr2D", "Zp5aN0")
_EXPERIENCE_VALUES = ("fifa-cwc-2025", "city-marathon-2026", "harbour-lights")
UNKNOWN_EXPERIENCE_PREFIX = "unknown-"
"""What makes an experience unknown to every receiver: the simulator knows it as plain data of its own."""
_CAPTURES = ("PHOTO_ASSIGNED_TO_USER", "PHOTO_DOWNLOADED_BY_USER", "PHOTO_VIEWED_BY_USER")
_PATHS = (
    "",
    "tickets",
    "collectibles/goal-42",
    "schedule?day=2&lang=pt",
    "profil/einstellungen",
    "foto/são-paulo",
)
_EVENT_NAMES = (
    "Product Viewed",
    "Product Added",
    "Video Played",
    "Quiz Finished",
    "Badge Earned",
    "見学予約",
)
_DEVICES = (("iOS 18.4", "iPhone17,1"), ("iOS 16.3", "iPhone15,2"), ("Android 15", "Pixel 9"))
_TAGS = ("vip", "newsletter", "-trial", "early-bird")


class Payloads:
    """Makes the fields of a payload for a user, from one source of chance."""

    def __init__(self, rng: Random) -> None:
        self._random = rng.random
        self._bits = rng.getrandbits
        self._makers: dict[str, Callable[[User], Fields]] = {
            "Engagement": self._engagement,
            "EmailOpened": self._email_opened,
            "PageVisited": self._page_visited,
            "CustomEvent": self._custom_event,
            "Identified": self._identified,
            "LoggedIn": self._logged_in,
            "CaptureEvent": self._capture_event,
            "ProfileUpdated": self._profile_updated,
            "PurchaseConfirmed": self._purchase_confirmed,
            "DeviceRegistered": self._device_registered,
            "Aliased": self._aliased,
        }

    def make(self, payload: str, user: User) -> Fields:
        """The fields of a payload of this type (a key of WEIGHTS); absent ones have the schema's default."""
        return self._makers[payload](user)

    def unregistered(self) -> Fields:
        """An engagement whose feature and action no receiver has as a pair."""
        feature, action = self._one(_UNREGISTERED_PAIRS)
        return {"feature": feature, "action": action, "experience_id": self._one(_EXPERIENCES)}

    def uncharted(self) -> Fields:
        """A capture whose experience no receiver has."""
        return {
            "type": self._one(_CAPTURES),
            "experience_value": f"{UNKNOWN_EXPERIENCE_PREFIX}{self._bits(12):03x}",
            "event_value": f"evt-{self._bits(24):06x}",
        }

    def long_named(self) -> Fields:
        """A custom event whose name is longer than receivers keep."""
        return {"name": "Long Name " * 26 + "x" * int(self._random() * 100)}

    def _one(self, choices: Sequence[T]) -> T:
        return choices[int(self._random() * len(choices))]

    def _engagement(self, user: User) -> Fields:
        feature, action = self._one(_PAIRS)
        return {
            "feature": feature,
            "action": action,
            "experience_id": self._one(_EXPERIENCES),
            "metadata": {"source": "web", "variant": "AB"[self._bits(1)]} if self._bits(1) else {},
        }

    def _email_opened(self, user: User) -> Fields:
        campaign = self._bits(6)
        return {
            "experience_id": self._one(_EXPERIENCES),
            "message_id": f"msg-{campaign}-{self._bits(32):08x}",
            "campaign_id": f"cmp-{campaign}",
        }

    def _page_visited(self, user: User) -> Fields:
        return {
            "url": f"https://www.example.com/{self._one(_PATHS)}",
            "title": "Example" if self._bits(1) else None,
            "referrer": None if self._bits(1) else "https://search.example.org/",
            "experience_id": self._one(_EXPERIENCES) if self._bits(1) else None,
        }

    def _custom_event(self, user: User) -> Fields:
        return {
            "name": self._one(_EVENT_NAMES),
            "properties": {
                "product_id": self._bits(20),
                "price": self._bits(14) / 100,
                "quantity": self._bits(2) + 1,
                "gift": self._bits(3) == 0,
                "note": None if self._bits(1) else 'says "hello"\n\\o/ 😀',
            },
        }

    def _identified(self, user: User) -> Fields:
        return {
            "timezone": user.place.timezone,
            "locale": user.place.locale[:2],
            "traits": {
                "first_name": user.firstname,
                "last_name": user.lastname,
                "has_completed_onboarding": self._bits(1) == 1,
                "visits": self._bits(6),
            },
        }

    def _logged_in(self, user: User) -> Fields:
        return {"method": ("password", "google", "apple", None)[self._bits(2)], "tags": self._tags()}

    def _capture_event(self, user: User) -> Fields:
        event: Fields = {
            "experience_value": self._one(_EXPERIENCE_VALUES),
            "event_value": f"evt-{self._bits(24):06x}",
        }
        if self._bits(2) == 0:
            event["type"] = "REGISTRATION_PAGE_VISIT"
            event["session_id"] = f"ses-{self._bits(48):012x}"
            event["registration_page_value"] = "register-now"
        else:
            event["type"] = self._one(_CAPTURES)
        return event

    def _profile_updated(self, user: User) -> Fields:
        attributes = {
            "firstname": user.firstname,
            "lastname": user.lastname,
            "city": user.place.city,
            "country": user.place.country,
        }
        return {"attributes": attributes, "tags": self._tags()}

    def _purchase_confirmed(self, user: User) -> Fields:
        items = [
            {
                "id": f"sku-{self._bits(12)}",
                "quantity": self._bits(1) + 1,
                "price": (self._bits(13) + 99) / 100,
            }
            for _ in range(self._bits(1) + 1)
        ]
        shipping = 4.9
        return {
            # One in 16 has no id: no receiver limits those.
            "order_id": f"ord-{self._bits(64):016x}" if self._bits(4) else None,
            "total": round(sum(item["quantity"] * item["price"] for item in items) + shipping, 2),  # type: ignore[operator]
            "currency": ("EUR", "USD", "GBP", "BRL")[self._bits(2)],
            "status": "paid",
            "coupons": "WELCOME10" if self._bits(2) == 0 else None,
            "total_shipping": shipping,
            "items": items,
        }

    def _device_registered(self, user: User) -> Fields:
        os, model = self._one(_DEVICES)
        return {
            "device_id": f"dev-{user.key.decode()}-{self._bits(1)}",
            "token": f"{self._bits(128):032x}" if self._bits(2) else None,
            "os": os,
            "model": model,
            "app_build": str(400 + self._bits(6)),
            "app_version": f"1.{self._bits(3)}.{self._bits(2)}",
        }

    def _aliased(self, user: User) -> Fields:
        return {
            "anonymous_id": user.identifiers["anonymous_id"],
            "external_id": user.identifiers["external_id"],
        }

    def _tags(self) -> list[str]:
        return [self._one(_TAGS)] if self._bits(1) else []
