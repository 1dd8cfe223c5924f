"""One case for each row that is known of an API, against the simulator unless an account is named.

How a team holds its vendor's own server to them: docs/simulator.md.
"""

import pytest

from tests.conformance.case import Variant
from tests.conformance.loader import case_files, variants
from tests.conformance.target import LeftOut, Target


@pytest.mark.parametrize("variant", list(variants()), ids=lambda variant: variant.id)
def test_the_api_answers_as_its_page_has_it(target: Target, variant: Variant) -> None:
    try:
        found = target.run(variant)
    except LeftOut as reason:
        pytest.skip(str(reason))
    assert found == [], f"{variant.row.basis}: {variant.row.says}"


@pytest.mark.parametrize("file", case_files(), ids=lambda file: file.api)
def test_every_row_has_a_case_and_every_case_its_row(file) -> None:
    assert {case.row for case in file.cases} == file.rows.keys()
    names = [case.name for case in file.cases]
    assert len(names) == len(set(names))
