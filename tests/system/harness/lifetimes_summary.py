"""Run by the environment that has lifetimes: the sample, its summary, and who of it is alive, as NDJSON.

usage: lifetimes_summary.py purchases
       lifetimes_summary.py summary
       lifetimes_summary.py alive DAY       the models' parameters, fitted to what is known on that day, and then of each
                                            customer how probable it is by each model that it is alive
       lifetimes_summary.py probabilities   the same for each line of standard input: model, parameters, x, t_x, T
"""
import json
import pathlib
import sys

import lifetimes
import pandas
from lifetimes.utils import summary_data_from_transaction_data

SAMPLE = pathlib.Path(lifetimes.__file__).parent / "datasets" / "CDNOW_sample.txt"
MODELS = {"bg": lifetimes.BetaGeoFitter, "mbg": lifetimes.ModifiedBetaGeoFitter}
PARAMETERS = ["r", "alpha", "a", "b"]


def purchases():
    """As they are in the file: id in the master set, id in the sample, day, CDs, dollars."""
    return pandas.read_csv(SAMPLE, sep=r"\s+", header=None, names=["customer", "sample_id", "day", "items", "amount"],
                           dtype={"customer": str, "day": str})


def summary(until=None):
    table = purchases()
    table["date"] = pandas.to_datetime(table["day"], format="%Y%m%d")
    return summary_data_from_transaction_data(table, "customer", "date", monetary_value_col="amount", freq="D",
                                              observation_period_end=until)


def say(row):
    print(json.dumps(row))


def tell_alive(until):
    known = summary(until)
    fitted = {name: model().fit(known["frequency"], known["recency"], known["T"]) for name, model in MODELS.items()}
    say({name: [float(model.params_[parameter]) for parameter in PARAMETERS] for name, model in fitted.items()})
    alive = {name: model.conditional_probability_alive(known["frequency"], known["recency"], known["T"])
             for name, model in fitted.items()}
    for number, customer in enumerate(known.index):
        say({"customer": customer, **{name: float(found[number]) for name, found in alive.items()}})


def tell_probabilities():
    asked = pandas.DataFrame([json.loads(line) for line in sys.stdin])
    answers = pandas.Series(0.0, index=asked.index)
    for (name, parameters), rows in asked.groupby(["model", asked["parameters"].map(tuple)]):
        model = MODELS[name]()
        model.params_ = pandas.Series(dict(zip(PARAMETERS, parameters)))
        answers[rows.index] = model.conditional_probability_alive(rows["x"], rows["t_x"], rows["T"])
    for answer in answers:
        say(answer)


def main():
    what, *arguments = sys.argv[1:]
    if what == "purchases":
        for row in purchases().itertuples():
            say({"customer": row.customer, "day": row.day, "items": row.items, "amount": row.amount})
    elif what == "summary":
        for customer, row in summary().iterrows():
            say({"customer": customer, "repeat_days": row["frequency"], "recency_days": row["recency"],
                 "tenure_days": row["T"], "spend": row["monetary_value"]})
    elif what == "alive":
        tell_alive(*arguments)
    else:
        tell_probabilities()


main()
