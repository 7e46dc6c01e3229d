"""The tables of the Face-STN and CIAO papers against cells that were read off the page by hand."""

import pytest

from fer_lib import results

COUNTS = {  # cells of the printed tables, counted on the page
    ("face-stn", "Table 5"): (3 + 7 + 2 + 2 + 2) + (4 + 3 + 3 + 7 + 2 + 2 + 2),
    ("face-stn", "Table 6"): 2 * (5 * 3) + 2 * (5 * 3 - 1) + 4 * (8 * 3),
    ("ciao", "Table I"): 7 * 2 * 3 * 2,
    ("ciao", "Table II"): 5 * 2 + 5 + 5 + 5 + 4 + 4,
    ("ciao", "Section III.A"): 4,
}


@pytest.mark.parametrize(("table", "count"), COUNTS.items())
def test_every_cell_is_there_once(table, count):
    numbers = results.published(*table)
    assert len(numbers) == count
    assert not numbers.duplicated(["row", "column", "dataset"]).any()


@pytest.mark.parametrize(
    ("dataset", "row", "values"),
    [  # FaceChannel, PK, CPC
        ("affectnet", "Neurons Per Layer", [256, 128, 256]),
        ("affectnet", "CIAO Temperature", [0.03, 0.02, 0.03]),
        ("affectnet", "Dense Layers", [1, 1]),
        ("ferplus", "Learning Rate", [0.002, 0.006, 0.006]),
        ("jaffe", "Learning Rate", [0.001, 0.005, 0.001]),
        ("masked_affectnet", "Learning Rate", [0.08, 0.08, 0.08]),
        ("omg_emotion", "Neurons Dense Layer", [128, 128, 64]),
        ("omg_emotion", "Neurons GRU Layer", [64, 64, 64]),
        ("elderreact", "Learning Rate", [0.4, 0.2, 0.08]),
        ("elderreact", "CIAO Temperature", [0.4, 0.4, 0.32]),
        ("emoreact", "Neurons Dense Layer", [256, 256, 128]),
        ("emoreact", "GRU Layers", [1, 1, 1]),
        ("fabo", "Sequence Length", [9, 9, 9]),
        ("fabo", "Neurons GRU Layer", [64, 32, 32]),
    ],
)
def test_decision_layers_of_table_6(dataset, row, values):
    numbers = results.published("face-stn", "Table 6").query("dataset == @dataset and row == @row")
    assert numbers["value"].tolist() == values
    assert numbers["column"].tolist() == ["FaceChannel", "PK", "CPC"][: len(values)]


def test_settings_of_table_6_add_up():
    numbers = results.published("face-stn", "Table 6")
    sums = numbers.groupby("metric")["value"].sum().round(6).to_dict()
    assert sums == {
        "dense_layers": 2 + 3 + 3 + 2 + 4 * 3,
        "dense_neurons": 640 + 256 + 192 + 768 + 320 + 448 + 640 + 160,
        "gru_layers": 12,
        "gru_neurons": 192 + 320 + 384 + 128,
        "learning_rate": round(0.22 + 0.014 + 0.007 + 0.24 + 0.8 + 0.68 + 0.4 + 0.17, 6),
        "optimizer": 24,
        "sequence_length": 3 * (15 + 15 + 15 + 9),
        "temperature": round(0.08 + 0.69 + 1.2 + 0.09 + 1.2 + 1.12 + 0.55 + 0.6, 6),
    }
    assert set(numbers.query("row == 'Optimizer'")["unit"]) == {"SGD"}


def test_layers_that_the_table_calls_lstm_are_noted():
    numbers = results.published("face-stn", "Table 6").query("row.str.contains('GRU')")
    printed = numbers["note"].str.contains("LSTM")
    assert printed.sum() == 4 * 3 + 3 * 3  # OMG-Emotion's neurons are printed as GRU
    assert not printed[numbers["dataset"].eq("omg_emotion") & numbers["row"].eq("Neurons GRU Layer")].any()


def test_search_space_of_table_5():
    space = results.published("face-stn", "Table 5")
    options = space.groupby(["row", space["column"].str.split(", ").str[0]])["value"].apply(list)
    assert options["Neurons Per Layer", "sequences"] == [16, 32, 64, 128, 256, 512, 1024]
    assert options["Sequence Length", "sequences"] == [5, 10, 15, 30]
    assert options["Learning Rate", "images"] == [0.0005, 0.9]
    assert options["CIAO Temperature", "images"] == [0.001, 0.09]
    assert space.query("row == 'Optimizer'")["unit"].tolist() == ["SGD", "ADAM"] * 2


@pytest.mark.parametrize(
    ("column", "metric", "vgg", "pk"),
    [  # full, last conv, decision; each without and with CIAO
        ("AffectNet Arousal", "ccc_arousal", (46, 49, 35, 48, 29, 47), (42, 49, 30, 47, 20, 45)),
        ("AffectNet Valence", "ccc_valence", (50, 60, 40, 58, 31, 58), (55, 59, 38, 55, 15, 54)),
        ("EmoReact", "macro_f1", (70, 73, 60, 70, 58, 69), (74, 76, 63, 72, 26, 69)),
        ("FER", "accuracy", (725, 761, 632, 693, 553, 682), (701, 754, 592, 701, 282, 702)),
        ("FER+", "accuracy", (917, 945, 835, 901, 723, 893), (889, 932, 811, 894, 693, 901)),
        ("JAFFE", "accuracy", (921, 934, 734, 921, 693, 915), (833, 852, 921, 803, 278, 798)),
        ("AffectNet Accuracy", "accuracy", (601, 657, 503, 634, 352, 629), (599, 636, 453, 602, 152, 599)),
    ],
)
def test_cells_of_ciaos_table(column, metric, vgg, pk):
    numbers = results.published("ciao", "Table I").query("metric == @metric")
    numbers = numbers[numbers["column"].str.startswith(column + ",")]
    factor = 10 if metric == "accuracy" else 100
    for encoder, values in (("vggface", vgg), ("pk", pk)):
        printed = numbers[numbers["encoder"] == encoder]
        assert (printed["value"] * factor).round(6).tolist() == list(values)
        regimes = ["all", "all+ciao", "last_conv", "last_conv+ciao", "decision", "decision+ciao"]
        assert printed["regime"].tolist() == regimes


def test_hand_read_cells_of_ciaos_comparison():
    numbers = results.published("ciao", "Table II").set_index(["row", "column"])["value"]
    assert numbers["VGG+GAN", "AffectNet A"] == 0.54
    assert numbers["AlexNet", "AffectNet V"] == 0.6
    assert numbers["PSR", "FER+"] == 89.75
    assert numbers["ResMaskNet", "FER"] == 76.8
    assert numbers["PK_CIAO", "EmoReact"] == 0.76
    assert numbers.groupby("column").sum().round(2).to_dict() == {
        "AffectNet A": 2.33,
        "AffectNet Acc": 308.08,
        "AffectNet V": 2.97,
        "EmoReact": 2.8,
        "FER": 365.5,
        "FER+": 452.31,
        "JAFFE": 368.9,
    }


def test_ciaos_misprints_are_flagged():
    table = results.published("ciao", "Table I")
    odd = table.query("dataset == 'jaffe' and encoder == 'pk' and regime == 'last_conv'")
    assert odd["value"].item() == 92.1
    assert "misprint" in odd["note"].item()
    assert table["note"].ne("").sum() == 1
    text = results.published("ciao", "Section III.A").query("column == 'Parameters'").set_index("encoder")
    assert text["value"].to_dict() == {"vggface": 15.0, "pk": 4.0}
