"""Whose opens and visits count: people's, also through their mailbox's proxy, and no machine's."""

import pytest

from consumer.topology.bots import is_bot

PEOPLE = {
    "browser": "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/17.4 Safari/605.1.15",
    "phone": "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Mobile/15E148",
    "Gmail's proxy": "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)",
    "Yahoo's proxy": "YahooMailProxy; https://help.yahoo.com/kb/yahoo-mail-proxy-SLN28749.html",
    "Outlook": "Mozilla/4.0 (compatible; MSIE 7.0; Windows NT 10.0; Win64; x64; Trident/7.0; Microsoft Outlook "
    "16.0.17328)",
    "nobody said": "",
}
MACHINES = {
    "Apple's privacy proxy": "Mozilla/5.0",
    "crawler": "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    "link preview": "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)",
    "prefetcher": "Chrome Privacy Preserving Prefetch Proxy",
    "scanner": "Mozilla/5.0 (compatible; Barracuda Sentinel (EE))",
    "another scanner": "Mimecast-URL-Scanner/1.0",
    "script": "python-requests/2.32.3",
}


@pytest.mark.parametrize("who", PEOPLE)
def test_a_person_is_no_bot_whatever_fetches_the_image_for_them(who):
    assert not is_bot(PEOPLE[who])


@pytest.mark.parametrize("what", MACHINES)
def test_what_opens_by_itself_is_a_bot(what):
    assert is_bot(MACHINES[what])
