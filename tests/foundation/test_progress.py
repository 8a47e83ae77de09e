from foundation.progress import bars, silent


def test_a_silent_stage_takes_any_advance():
    with silent("capture", total=3, unit="samples") as advance:
        assert advance(3) is None


def test_a_bar_shows_what_is_done_on_standard_error(capsys):
    with bars("capture", total=3, unit="samples") as advance:
        advance(1)
        advance(2)

    shown = capsys.readouterr()
    assert shown.out == ""
    assert "capture" in shown.err and "3/3" in shown.err
