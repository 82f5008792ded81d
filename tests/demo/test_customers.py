from loghub.demo.services.customers import rate


def test_customers_come_in_waves_and_never_stop() -> None:
    rates = [rate(second / 10) for second in range(1200)]

    assert min(rates) > 0.3
    assert max(rates) > 4 * min(rates)
    assert 1.5 < sum(rates) / len(rates) < 4
