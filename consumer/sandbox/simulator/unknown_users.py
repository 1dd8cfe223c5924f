"""Which users the sandbox's receiver has never heard of: plain data, so that the generator can share it."""

import msgspec


class UnknownUsers(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A rule instead of a table of users: it costs nothing however many users the generator invents.

    An identifier that matches its rule is unknown; every other one is known.
    """

    user_id_prefix: str = "unknown-"
    email_domain: str = "unknown.invalid"
    phone_prefix: str = "+199"

    def has_user_id(self, user_id: str) -> bool:
        """Whether this userId is one that nobody registered."""
        return user_id.startswith(self.user_id_prefix)

    def has_email(self, email: str) -> bool:
        """Whether this address is one that nobody registered; domains have no case."""
        return email.lower().endswith("@" + self.email_domain)

    def has_phone(self, phone: str) -> bool:
        """Whether this number is one that nobody registered."""
        return phone.startswith(self.phone_prefix)
