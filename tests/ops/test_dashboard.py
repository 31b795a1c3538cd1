"""The page in a real browser: Debian's Chromium, driven by Playwright, over numbers that the test writes."""
import json
import re
import shutil

import pytest

from serve import Server

sync_api = pytest.importorskip("playwright.sync_api", reason="unreachable: playwright")
expect = sync_api.expect

NARROW = {"width": 360, "height": 740}
WIDE = {"width": 1320, "height": 900}


@pytest.fixture(scope="module")
def browser():
    path = shutil.which("chromium")
    if path is None:
        pytest.skip("unreachable: chromium")
    with sync_api.sync_playwright() as playwright:
        one = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield one
        one.close()


@pytest.fixture
def server():
    with Server() as one:
        for partition in range(8):
            one.do(f"lag {partition} 0 0 120.5 ok")
        yield one


class Watched:
    """A page and what it did behind the reader's back. `expected`: what the browser itself may say on the console."""

    def __init__(self, page, url):
        self.page, self.url, self.wrong, self.foreign, self.expected = page, url, [], [], []
        page.on("pageerror", lambda error: self.wrong.append(str(error)))
        page.on("console", lambda said: said.type in ("error", "warning") and self.wrong.append(said.text))
        page.on("request", lambda request: request.url.startswith(url) or self.foreign.append(request.url))

    def check(self):
        assert not self.foreign, f"asked elsewhere: {self.foreign}"
        wrong = [said for said in self.wrong if not any(part in said for part in self.expected)]
        assert not wrong, f"on the console: {wrong}"


@pytest.fixture
def open_page(browser, server):
    opened = []

    def open_one(address="/", url=None, **options):
        context = browser.new_context(**{"viewport": WIDE, **options})
        watched = Watched(context.new_page(), url or server.url)
        opened.append((context, watched))
        watched.page.goto(watched.url + address, wait_until="load")
        expect(watched.page.locator("#live-text")).to_have_text("Live")
        return watched

    yield open_one
    for context, watched in opened:
        watched.check()
        context.close()


def test_lag_of_each_partition_is_shown_and_follows(server, open_page):
    page = open_page().page
    rows = page.locator("#partitions tr")
    expect(rows).to_have_count(8)

    server.do("lag 5 42.5 4711 7 lagging")

    row = rows.filter(has_text="purchases 2")
    expect(row).to_contain_text("lagging")
    expect(row).to_contain_text("42.5 s")
    expect(row).to_contain_text("4,711")
    expect(page.locator("#tile-seconds")).to_have_text("42.5s")
    expect(page).to_have_title(re.compile("42.5 s behind"))
    expect(page.locator("#chart-lag path")).to_have_count(8)


def test_the_unit_is_chosen_by_keyboard(server, open_page):
    server.do("lag 0 2 500 7 ok")
    page = open_page().page
    expect(page.locator("#chart-lag text").filter(has_text=re.compile(r" s$")).first).to_be_visible()

    page.locator("input[value=seconds]").focus()
    page.keyboard.press("ArrowRight")

    expect(page.locator("input[value=records]")).to_be_checked()
    expect(page.locator("#chart-lag text").filter(has_text="500")).to_have_count(1)


def test_an_alert_appears_with_its_reasons_and_leads_to_the_customer(server, open_page):
    page = open_page().page
    expect(page.locator("#alerts-empty")).to_be_visible()

    server.do("alert service-failure high C-found complaint open and 3 dropped calls in 7 days")

    alert = page.locator("#alerts .alert")
    expect(alert).to_have_count(1)
    expect(alert).to_contain_text("complaint open and 3 dropped calls in 7 days")
    expect(alert).to_contain_text("dropped_7d 3")
    expect(page.locator("#rules li").first).to_contain_text("service-failure")
    alert.get_by_role("button", name="Look up customer C-found").click()
    expect(page.locator("#customer h3")).to_have_text("C-found")
    expect(page.locator("#customer")).to_contain_text("Why it alerted")
    expect(page.locator("#customer")).to_contain_text("minutes_28d")
    expect(page.locator("#customer details").filter(has_text="win-back")).to_contain_text("its condition does not hold")
    page.locator("#customer summary").filter(has_text="win-back").click()
    expect(page.locator("#customer .condition").nth(1)).to_contain_text("usage_drop > 0.5 usage_drop is 0.31, 0.2 short")


def test_what_an_alert_says_stays_text(server, open_page):
    server.do("alert win-back low <img/src=x> <script>document.title='broken'</script><b>bold</b>")
    page = open_page().page

    expect(page.locator("#alerts .alert")).to_contain_text("<script>document.title='broken'</script><b>bold</b>")
    assert page.locator("#alerts img, #alerts b:text('bold'), #alerts script").count() == 0
    assert "broken" not in page.title()


def test_alerts_are_held_while_the_list_is_paused_and_filtered_by_rule(server, open_page):
    server.do("alert service-failure high C1 first")
    page = open_page().page
    expect(page.locator("#alerts .alert")).to_have_count(1)

    page.get_by_role("button", name="Pause").click()
    server.do("alert win-back low C2 second", "alert service-failure high C3 third")
    expect(page.get_by_role("button", name="Go on (2 new)")).to_be_visible()
    expect(page.locator("#alerts .alert")).to_have_count(1)

    page.get_by_role("button", name="Go on").click()
    expect(page.locator("#alerts .alert")).to_have_count(3)
    expect(page.locator("#alerts .alert").first).to_contain_text("third")
    page.get_by_label("Only of rule").select_option("win-back")
    expect(page.locator("#alerts .alert")).to_have_count(1)
    expect(page.locator("#alerts .alert")).to_contain_text("second")


def test_a_rule_in_shadow_says_so_and_what_it_would_have_raised(server, open_page):
    server.do("alert service-failure high C1 first", "mode win-back shadow 1234")
    page = open_page().page

    first = page.locator("#rules li").first
    expect(first).to_contain_text("win-back")
    expect(first).to_contain_text("in shadow, tells nobody")
    expect(first).to_contain_text("1,234")


def test_a_customer_is_looked_up_with_the_keyboard_alone(server, open_page):
    watched = open_page()
    watched.expected.append("status of 404")
    page = watched.page

    page.keyboard.press("/")
    page.keyboard.type("C-stale")
    page.keyboard.press("Enter")

    expect(page.locator("#customer h3")).to_have_text("C-found")
    expect(page.locator("#customer")).to_contain_text("An older state: its store is being brought up to date")
    page.keyboard.press("Control+a")
    page.keyboard.type("über/../nobody?#%")
    page.keyboard.press("Enter")
    expect(page.locator("#customer")).to_contain_text("nothing is known of this customer")


def test_every_control_is_reached_by_tab_and_shows_it(server, open_page):
    server.do("alert service-failure high C1 first", "letter record telco.calls the body ends within field 'x'")
    page = open_page().page
    expect(page.locator("#letters details")).to_have_count(1)
    expect(page.locator("#alerts .alert")).to_have_count(1)
    wanted = {"skip", "unit", "scroll", "alerts-rule", "alerts-pause", "link", "lookup-id", "look", "summary"}

    found = set()
    for _ in range(40):
        page.keyboard.press("Tab")
        one, outline = page.evaluate("""() => {
          const at = document.activeElement, box = at.matches('.choice input') ? at.nextElementSibling : at;
          return [[at.id, at.className, at.name || '', at.textContent.toLowerCase().slice(0, 40), at.tagName.toLowerCase()].join(' '),
                  getComputedStyle(box).outlineStyle];
        }""")
        if one.split()[-1:] == ["body"]:
            break
        assert outline != "none", f"nothing shows that '{one}' has the focus"
        found |= {name for name in wanted if name in one}
    assert found == wanted


def test_what_has_the_focus_keeps_it_when_more_arrives(server, open_page):
    server.do("alert service-failure high C1 first", "letter record telco.calls the body ends within field 'x'")
    page = open_page().page
    letter = page.locator("#letters summary")
    link = page.get_by_role("button", name="Look up customer C1")
    letter.click()

    letter.focus()
    server.do("letter record telco.calls another one")
    expect(page.locator("#letters details")).to_have_count(2)
    expect(page.locator("#letters details[open]")).to_have_count(1)
    expect(page.locator("#letters summary").last).to_be_focused()
    link.focus()
    server.do("alert win-back low C2 second")
    expect(page.locator("#alerts .alert")).to_have_count(2)
    expect(link).to_be_focused()


def test_another_instances_customer_is_a_link_to_its_page(server, open_page):
    watched = open_page()
    watched.expected.append("status of 421")
    page = watched.page

    page.fill("#lookup-id", "C-elsewhere")
    page.get_by_role("button", name="Look up", exact=True).click()

    link = page.locator("#customer a")
    expect(link).to_have_attribute("href", "http://127.0.0.1:8089/#customer=C-elsewhere")
    expect(page.locator("#customer")).to_contain_text("Instance b keeps this customer, or may")


def test_the_address_of_a_page_can_name_the_customer(open_page):
    page = open_page("/#customer=C-found").page

    expect(page.locator("#customer h3")).to_have_text("C-found")


def test_a_restore_is_shown_while_it_lasts(server, open_page):
    page = open_page().page
    expect(page.locator("#ready-text")).to_have_text("Ready")
    expect(page.locator("#restore")).to_be_hidden()

    server.do("restore 2 250000 37", "restore 3 500000 12")

    expect(page.locator("#ready-text")).to_have_text("Restoring 6/8")
    expect(page.locator("#restore")).to_contain_text("6 of 8 partitions are at work, the rest in about 37 s")
    expect(page.get_by_role("progressbar", name="Partition 2 restored")).to_have_attribute("value", "0.75")
    server.do("ready")
    expect(page.locator("#restore")).to_be_hidden()


def test_a_dead_letter_can_be_looked_at(server, open_page):
    page = open_page().page

    server.do("letter record telco.calls the body ends within field 'started_at'")

    expect(page.locator("#tile-letters")).to_have_text("1")
    page.locator("#letters summary").click()
    expect(page.locator("#letters .inside")).to_contain_text("the body ends within field 'started_at'")
    expect(page.locator("#letters code")).to_contain_text("ringfold dlq list -c FILE --topic telco.calls")


def test_commits_and_throughput_are_drawn(server, open_page):
    page = open_page().page

    for _ in range(3):
        server.do("commit 0.02 50", "commit 0.3 5")
        page.wait_for_timeout(1000)

    expect(page.locator("#tile-commit")).to_contain_text("ms")
    expect(page.locator("#chart-commit path")).to_have_count(2)
    expect(page.locator("#tile-rate")).to_have_text("964/s")
    box = page.locator("#chart-rate").bounding_box()
    page.mouse.move(box["x"] + box["width"] - 12, box["y"] + 60)
    expect(page.locator("#chart-rate .tip")).to_contain_text("throughput 964")


def test_a_page_that_is_opened_later_shows_what_was_before(server, open_page):
    server.do("lag 3 77 500 7 lagging")
    open_page().page.wait_for_timeout(6000)
    server.do("lag 3 0 0 7 ok")

    page = open_page().page

    expect(page.locator("#partitions tr").filter(has_text="purchases 1")).to_contain_text("0 s")
    expect(page.locator("#chart-lag text").filter(has_text="75 s")).to_have_count(1)


def test_it_comes_back_by_itself_and_misses_nothing(browser, open_page):
    with Server() as first:
        watched = open_page(url=first.url)
        watched.expected.append("ERR_CONNECTION_REFUSED")
        first.do("alert service-failure high C1 before")
        expect(watched.page.locator("#alerts .alert")).to_have_count(1)
        address = first.address
    expect(watched.page.locator("#live-text")).to_have_text("Reconnecting")

    with Server("--listen", address) as second:
        second.do("alert service-failure high C2 after")
        expect(watched.page.locator("#live-text")).to_have_text("Live", timeout=15000)
        expect(watched.page.locator("#alerts .alert").filter(has_text="after")).to_have_count(1)
        watched.page.goto("about:blank")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_can_be_read_in_both_themes(server, open_page, scheme):
    server.do("alert complaining-again critical C1 complained 3 times", "lag 1 99 5 1 stalled", "restore 2 10 1")
    page = open_page(color_scheme=scheme).page
    expect(page.locator("#alerts .alert")).to_have_count(1)

    poor = page.evaluate("""() => {
      const parse = (text) => text.match(/[\\d.]+/g).map(Number);
      const light = ([r, g, b]) => [r, g, b].map((c) => (c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
        .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
      const ground = (node) => { for (; node; node = node.parentElement) { const c = parse(getComputedStyle(node).backgroundColor); if (c.length < 4 || c[3] > 0.99) return c; } return [255, 255, 255]; };
      const poor = [];
      for (const node of document.querySelectorAll('body *')) {
        const own = [...node.childNodes].some((child) => child.nodeType === 3 && child.textContent.trim());
        if (!own || !node.checkVisibility() || node.closest('svg, .hidden, .skip, noscript, option')) continue;
        const a = light(parse(getComputedStyle(node).color)), b = light(ground(node));
        const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
        if (ratio < 4.5) poor.push(`${node.tagName} ${node.className} '${node.textContent.slice(0, 30)}' ${ratio.toFixed(2)}`);
      }
      return poor;
    }""")
    assert poor == []
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (sum(map(int, re.findall(r"\d+", ground)[:3])) < 200) == (scheme == "dark")


def test_nothing_is_cut_off_on_a_telephone(server, open_page):
    server.do("alert service-failure high C-" + "9" * 40 + " a long explanation of why it matters to someone",
              "letter record telco.calls a message", "restore 1 5000 3")
    page = open_page(viewport=NARROW).page
    expect(page.locator("#alerts .alert")).to_have_count(1)

    assert page.evaluate("document.documentElement.scrollWidth") <= NARROW["width"]
    wide = page.evaluate("""() => [...document.querySelectorAll('main *')].filter((node) => node.checkVisibility()
      && !node.closest('.scroll, svg, .hidden') && node.getBoundingClientRect().right > innerWidth + 1).map((node) => node.outerHTML.slice(0, 80))""")
    assert wide == []
    small = page.evaluate("""() => [...document.querySelectorAll('button:not(.link), select, input:not([type=radio]), .choice span')]
      .filter((node) => node.checkVisibility() && node.getBoundingClientRect().height < 36).map((node) => node.outerHTML.slice(0, 80))""")
    assert small == []


def test_every_field_has_a_name_and_headings_do_not_skip(open_page):
    page = open_page().page

    nameless = page.evaluate("""() => [...document.querySelectorAll('input, select, button')].filter((node) =>
      !(node.labels && node.labels.length) && !node.textContent.trim() && !node.getAttribute('aria-label')).map((node) => node.outerHTML)""")
    assert nameless == []
    levels = page.evaluate("[...document.querySelectorAll('h1,h2,h3,h4')].filter((n) => n.checkVisibility()).map((n) => +n.tagName[1])")
    assert levels[0] == 1 and all(later - earlier <= 1 for earlier, later in zip(levels, levels[1:]))
    assert page.evaluate("document.documentElement.lang") == "en"


def test_a_token_is_asked_for_as_a_browser_asks(browser, tmp_path):
    (tmp_path / "tokens").write_text("ops:0123456789abcdef0123\n", encoding="utf-8")
    with Server("--token-file", tmp_path / "tokens") as server:
        context = browser.new_context(http_credentials={"username": "me", "password": "0123456789abcdef0123"})
        page = context.new_page()
        page.goto(server.url)
        expect(page.locator("#live-text")).to_have_text("Live")
        page.fill("#lookup-id", "C-found")
        page.keyboard.press("Enter")
        expect(page.locator("#customer h3")).to_have_text("C-found")
        context.close()
        plain = browser.new_context()
        assert plain.request.get(server.url + "/").status == 401
        assert json.loads(plain.request.get(server.url + "/readyz").text())["ready"]
        plain.close()
