"""What is searched: small scenarios in each run of the tests, the full ones where there is time."""

from tests.search.scenario import Budget, Said, Scenario

ALIKE = (Said(0, "A", "ann"), Said(1, "A", "bob"))
"""One event in two partitions."""
THREE = (Said(0, "A", "ann"), Said(0, "B", "ann"), Said(1, "A", "bob"))
FOUR = (Said(0, "A", "ann"), Said(0, "B", "ann"), Said(1, "A", "bob"), Said(1, "C", "bob"))
GUILTY = (Said(0, "A", "ann", guilty=True), Said(0, "B", "ann"), Said(1, "A", "bob"))
"""A record that is refused for good, one behind it, and one with its key elsewhere."""
OPENS = (Said(0, "A", "ann", minute=0), Said(0, "B", "bob"), Said(1, "C", "ann", minute=10))
"""Two opens in one window."""
REFUSED_OPEN = (Said(0, "A", "ann", minute=0, guilty=True), Said(1, "C", "ann", minute=10))
ARRAY = (Said(0, "A", "ann"), Said(0, "B", "bob"), Said(1, "B", "cat"))
BAD_ARRAY = (Said(0, "A", "ann"), Said(0, "B", "bob", guilty=True), Said(1, "B", "cat"))

SMALL = (
    Scenario("four records", FOUR, Budget()),
    Scenario("a crash", ALIKE, Budget(crash=1)),
    Scenario("a crash and a lost answer", ALIKE, Budget(crash=1, lose_answer=1)),
    Scenario("a revoke", THREE, Budget(revoke=1)),
    Scenario("a revoke that runs out of time", ALIKE, Budget(revoke=1, deadline=1)),
    Scenario("a fence", ALIKE, Budget(steal=1)),
    Scenario("a stall", ALIKE, Budget(stall=1, lose_answer=1)),
    Scenario("a ledger that forgets", ALIKE, Budget(flush=1)),
    Scenario("a halt and a late request", ALIKE, Budget(halt=1, late=1, lose_answer=1)),
    Scenario("a refusal and a redrive", GUILTY, Budget(redrive=1, letter_fails=1)),
    Scenario("two opens", OPENS, Budget(lose_answer=1)),
    Scenario("a refused open", REFUSED_OPEN, Budget(crash=1)),
    Scenario("an array stored in part", ARRAY, Budget(store_part=1), max_items=2, chunk=2),
    Scenario("a refused array", BAD_ARRAY, Budget(), max_items=2, chunk=2),
    Scenario("a reload", ALIKE, Budget(reload=1)),
)

FULL = (
    Scenario("two crashes", FOUR, Budget(crash=2)),
    Scenario("two crashes and a lost answer", ALIKE, Budget(crash=2, lose_answer=1)),
    Scenario("a crash and a fence", ALIKE, Budget(crash=1, steal=1)),
    Scenario("a crash, a revoke and a lost answer", ALIKE, Budget(crash=1, revoke=1, lose_answer=1)),
    Scenario("a crash and a drain out of time", ALIKE, Budget(crash=1, revoke=1, deadline=1)),
    Scenario("a crash, a fence and a lost answer", ALIKE, Budget(crash=1, steal=1, lose_answer=1)),
    Scenario("a crash, a halt and a retry", ALIKE, Budget(crash=1, halt=1, break_answer=1)),
    Scenario("a crash and a late request", ALIKE, Budget(crash=1, late=1, lose_answer=1)),
    Scenario("a crash and a stall", ALIKE, Budget(crash=1, stall=1)),
    Scenario("a crash and a ledger that forgets", ALIKE, Budget(crash=1, flush=1)),
    Scenario("a crash, a refusal and a redrive", GUILTY, Budget(crash=1, redrive=1)),
    Scenario("a revoke, a refusal and a redrive", GUILTY, Budget(revoke=1, redrive=1)),
    Scenario("a crash and two opens", OPENS, Budget(crash=1, lose_answer=1)),
    Scenario("a revoke and a refused open", REFUSED_OPEN, Budget(revoke=1, crash=1)),
    Scenario(
        "an array stored in part, and a crash", ARRAY, Budget(store_part=1, crash=1), max_items=2, chunk=2
    ),
    Scenario(
        "an array stored in part, and a revoke", ARRAY, Budget(store_part=1, revoke=1), max_items=2, chunk=2
    ),
    Scenario("a refused array and a crash", BAD_ARRAY, Budget(crash=1), max_items=2, chunk=2),
    Scenario("a refused array and a revoke", BAD_ARRAY, Budget(revoke=1), max_items=2, chunk=2),
    Scenario("a crash, a revoke and a reload", ALIKE, Budget(crash=1, revoke=1, reload=1)),
    Scenario("four records, a revoke and a lost answer", FOUR, Budget(revoke=1, lose_answer=1)),
)
