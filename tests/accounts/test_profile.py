def test_the_page_shows_who_one_is_and_leads_to_everything(sign_in, person):
    person.first_name, person.last_name = "Alice", "Liddell"
    person.save()
    browser = sign_in()
    page = browser.get("/accounts/").content.decode()
    assert "Alice Liddell" in page
    assert "alice@example.com" in page
    for path in ("password/change/", "2fa/", "2fa/webauthn/", "sessions/", "email/"):
        assert f'href="/accounts/{path}"' in page
        assert browser.get(f"/accounts/{path}").status_code in (200, 302)


def test_the_language_can_be_chosen_there(sign_in):
    browser = sign_in()
    answer = browser.post("/i18n/setlang/", {"language": "zh-hans", "next": "/accounts/"})
    assert answer["Location"] == "/accounts/"
    assert '<html lang="zh-hans"' in browser.get("/accounts/").content.decode()


def test_it_is_for_signed_in_people(client, db):
    assert client.get("/accounts/")["Location"] == "/accounts/login/?next=/accounts/"
