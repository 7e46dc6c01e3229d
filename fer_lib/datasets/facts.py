"""The facts of each corpus: terms, how to obtain it, layout, published counts, one entry a corpus."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from fer_lib.affect import VOCABULARIES


@dataclass(frozen=True)
class CorpusInfo:
    """One corpus in words and numbers.

    Args:
        name: as `fer_lib.datasets.load` takes it.
        title: as its authors call it.
        tasks: tasks its labels allow, the usual one first.
        classes: class names in the order of its own numbers; () where it has none.
        unit: "image" or "sequence".
        protocol: how it is evaluated.
        licence: terms of use, in short. The corpus's own text decides.
        homepage: where its authors tell of it.
        obtain: what to do to get it.
        layout: the files that must lie in its root.
        counts: published number of pictures, clips, utterances or videos, by split ("all" where it has none).
        reference: the paper to cite.
        metrics: task -> metric, where it is not the task's usual one.
        scored_by: "row": each picture or frame counts; "stretch": each utterance or clip, whose prediction is
            the mean over its frames.
        class_counts: published numbers by split, in the order of `classes`, where they are known; under
            "split form", such as "validation csv", where one form of the corpus differs.
        task_counts: task -> published numbers by split, where another task's labels leave other rows out.
        form_counts: form -> published numbers by split, where a form has other splits than `counts`; a copy
            of that form with one of the splits of `counts` that these lack is held against `counts`.
    """

    name: str
    title: str
    tasks: tuple[str, ...]
    classes: tuple[str, ...]
    unit: str
    protocol: str
    licence: str
    homepage: str
    obtain: str
    layout: str
    reference: str
    counts: Mapping[str, int] = field(default_factory=dict)
    metrics: Mapping[str, str] = field(default_factory=dict)
    scored_by: str = "row"
    class_counts: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    task_counts: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    form_counts: Mapping[str, Mapping[str, int]] = field(default_factory=dict)

    @property
    def access(self) -> str:
        """What to do to get it, and where."""
        return self.obtain if self.homepage == "none" else f"{self.obtain} Homepage: {self.homepage}."


_RESEARCH = "non-commercial research under the authors' agreement; may not be passed on"
_OFFICIAL = "the official splits; models are selected on validation"
_AFFECT = ("categorical", "valence_arousal")

_ALL = (
    CorpusInfo(
        name="affectnet",
        title="AffectNet",
        tasks=_AFFECT,
        classes=VOCABULARIES["affectnet"],
        unit="image",
        protocol="train and validation; the test labels are not public, papers report validation",
        licence=_RESEARCH,
        homepage="mohammadmahoor.com/affectnet",
        obtain="Ask its authors through the form on the homepage; a supervisor signs the agreement.",
        layout="train_set and val_set, each with images and annotations; "
        "or Manually_Annotated_file_lists/*.csv with Manually_Annotated_Images",
        reference="Mollahosseini, Hasani and Mahoor, IEEE Transactions on Affective Computing, 2019",
        counts={"train": 287_651, "validation": 3_999},
        metrics={"categorical": "mean_class_accuracy"},
        class_counts={
            "train": (74_874, 134_415, 25_459, 14_090, 6_378, 3_803, 24_882, 3_750),
            "validation": (500, 500, 500, 500, 500, 500, 500, 499),
            "validation csv": (500, 500, 500, 500, 500, 500, 500, 500),
        },
    ),
    CorpusInfo(
        name="masked_affectnet",
        title="MaskedAffectNet",
        tasks=_AFFECT,
        classes=VOCABULARIES["masked_affectnet"],
        unit="image",
        protocol="as AffectNet, every face with a mask drawn on by its landmarks",
        licence=_RESEARCH,
        homepage="mohammadmahoor.com/affectnet",
        obtain="Obtain AffectNet; the masks are drawn on its pictures.",
        layout="as affectnet",
        reference="Barros and Sciutti, CVPR Workshops, 2021; used in Face-STN, 2022",
        metrics={"categorical": "mean_class_accuracy"},
    ),
    CorpusInfo(
        name="fer2013",
        title="FER2013",
        tasks=("categorical",),
        classes=VOCABULARIES["fer2013"],
        unit="image",
        protocol="Training, PublicTest (validation), PrivateTest (test)",
        licence="published for a research challenge; the pictures come from the web and may not be passed on",
        homepage="kaggle.com, Challenges in Representation Learning: Facial Expression Recognition Challenge",
        obtain="Download fer2013.csv from the challenge's data page with a free account.",
        layout="fer2013.csv (emotion,pixels,Usage); or train.csv and test.csv; or folders train/angry ...",
        reference="Goodfellow et al., Neural Networks, 2015",
        counts={"train": 28_709, "validation": 3_589, "test": 3_589},
        class_counts={
            "train": (3_995, 436, 4_097, 7_215, 4_830, 3_171, 4_965),
            "validation": (467, 56, 496, 895, 653, 415, 607),
            "test": (491, 55, 528, 879, 594, 416, 626),
            "test folders": (958, 111, 1_024, 1_774, 1_247, 831, 1_233),
        },
        form_counts={  # PublicTest and PrivateTest lie together; the challenge keeps their labels back
            "challenge": {"train": 28_709, "test": 7_178},
            "folders": {"train": 28_709, "test": 7_178},
        },
    ),
    CorpusInfo(
        name="ferplus",
        title="FER+",
        tasks=("categorical", "distribution", "multi_label"),
        classes=VOCABULARIES["ferplus"],
        unit="image",
        protocol="the splits of FER2013; any mode for training, majority labels for testing",
        licence="votes: MIT; pictures: as FER2013",
        homepage="github.com/microsoft/FERPlus",
        obtain="Put fer2013new.csv of the project beside FER2013's fer2013.csv.",
        layout="fer2013new.csv and fer2013.csv; or FER2013Train, FER2013Valid, FER2013Test with label.csv",
        reference="Barsoum, Zhang, Canton Ferrer and Zhang, ICMI, 2016",
        counts={"train": 25_060, "validation": 3_199, "test": 3_153},  # with a majority label
        class_counts={  # of the vote file
            "train": (8_740, 7_287, 3_149, 3_014, 2_100, 119, 532, 119),
            "validation": (1_182, 865, 415, 351, 287, 24, 62, 13),
            "test": (1_090, 893, 396, 384, 273, 18, 83, 16),
        },
        task_counts={
            "distribution": {"train": 27_956, "validation": 3_505, "test": 3_505},
            "multi_label": {"train": 27_671, "validation": 3_472, "test": 3_472},
        },
    ),
    CorpusInfo(
        name="jaffe",
        title="JAFFE",
        tasks=("categorical",),
        classes=VOCABULARIES["jaffe"],
        unit="image",
        protocol="leave one of the ten subjects out",
        licence=_RESEARCH,
        homepage="zenodo.org, The Japanese Female Facial Expression (JAFFE) Dataset",
        obtain="Ask for access on its homepage.",
        layout="KA.AN1.39.tiff and so on in one folder, with the readme",
        reference="Lyons, Akamatsu, Kamachi and Gyoba, FG, 1998",
        counts={"all": 213},
        class_counts={"all": (30, 29, 32, 31, 30, 31, 30)},
    ),
    CorpusInfo(
        name="omg_emotion",
        title="OMG-Emotion",
        tasks=("valence_arousal", "categorical"),
        classes=VOCABULARIES["omg_emotion"],
        unit="sequence",
        protocol=_OFFICIAL + "; a label an utterance; arousal in [0, 1], valence in [-1, 1]",
        licence=_RESEARCH,
        homepage="github.com/knowledgetechnologyuhh/OMGEmotionChallenge",
        obtain="Take the annotations from the homepage and ask its authors for the videos.",
        layout="omg_TrainVideos.csv and its two sisters, with <video>/utterance_1.mp4 and so on",
        reference="Barros, Churamani, Lakomkin, Siqueira, Sutherland and Wermter, IJCNN, 2018",
        scored_by="stretch",
        counts={"train": 2_442, "validation": 617, "test": 2_229},
    ),
    CorpusInfo(
        name="elderreact",
        title="ElderReact",
        tasks=("multi_label",),
        classes=VOCABULARIES["elderreact"],
        unit="sequence",
        protocol=_OFFICIAL + "; macro F1 over six emotions",
        licence=_RESEARCH,
        homepage="github.com/Mayer123/ElderReact",
        obtain="Ask its authors for the clips; the annotations are on the homepage.",
        layout="Annotations/{train,dev,test}_labels.txt, with ElderReact_{train,dev,test}/<name>.mp4",
        reference="Ma, Wang, Yang, Morency and others, ICMI, 2019",
        scored_by="stretch",
        counts={"train": 615, "validation": 355, "test": 353},
    ),
    CorpusInfo(
        name="emoreact",
        title="EmoReact",
        tasks=("multi_label",),
        classes=VOCABULARIES["emoreact"],
        unit="sequence",
        protocol=_OFFICIAL + "; macro F1 over eight affective states",
        licence=_RESEARCH,
        homepage="multicomp.cs.cmu.edu/resources/emoreact-dataset",
        obtain="Ask its authors through the homepage.",
        layout="Data/{Train,Validation,Test}/<name>.mp4, with Labels/*_labels.text and *_names.txt",
        reference="Nojavanasghari, Baltrusaitis, Hughes and Morency, ICMI, 2016",
        scored_by="stretch",
        counts={"train": 432, "validation": 303, "test": 367},
    ),
    CorpusInfo(
        name="fabo",
        title="FABO",
        tasks=("categorical",),
        classes=VOCABULARIES["fabo"],
        unit="sequence",
        protocol="folds over the people; the apex of each execution",
        licence=_RESEARCH,
        homepage="cl.cam.ac.uk/~hg410/fabo.html",
        obtain="Sign the authors' agreement. No layout is public: write a manifest of the clips.",
        layout="a manifest fabo.csv (video,subject,expression,start,apex,apex_end,end), with the videos",
        reference="Gunes and Piccardi, ICPR, 2006",
        counts={"all": 284},  # videos, as Face-STN counts them
    ),
    CorpusInfo(
        name="amigos",
        title="AMIGOS",
        tasks=("valence_arousal",),
        classes=(),
        unit="sequence",
        protocol="ten people, a frame every 4 s, 5 folds in each person; also folds of whole clips",
        licence=_RESEARCH,
        homepage="eecs.qmul.ac.uk/mmv/datasets/amigos",
        obtain="Sign the agreement on its homepage.",
        layout="External_Annotations.xlsx, with Exp1_P<number>_face/P<number>_<video>*.mov",
        reference="Miranda-Correa, Abadi, Sebe and Patras, IEEE Transactions on Affective Computing, 2021",
    ),
    CorpusInfo(
        name="affwild2",
        title="Aff-Wild2",
        tasks=("valence_arousal", "categorical"),
        classes=VOCABULARIES["affwild2"],
        unit="sequence",
        protocol=_OFFICIAL,
        licence=_RESEARCH,
        homepage="ibug.doc.ic.ac.uk/resources/aff-wild2",
        obtain="Sign the agreement on its homepage.",
        layout="VA_Set/Train_Set/<video>.txt or EXPR_Set/..., with cropped_aligned/<video>/00001.jpg",
        reference="Kollias and Zafeiriou, BMVC, 2019",
        counts={"train": 346, "validation": 68, "test": 131},  # videos with valence and arousal
    ),
)

CORPORA: dict[str, CorpusInfo] = {info.name: info for info in _ALL}

OWN = CorpusInfo(
    name="folder",
    title="your own faces",
    tasks=(),  # follow from the labels that the folder holds
    classes=(),
    unit="image",
    protocol="your splits; without any, parts that share no person",
    licence="yours to know: what the people pictured agreed to",
    homepage="none",
    obtain="Take photos of people who agreed to it, and sort or list them as chapter 17 shows.",
    layout="photos in class folders, or a faces.csv that lists them",
    reference="none",
    metrics={"categorical": "mean_class_accuracy"},
)
"""Your own photos: no corpus with a world, and therefore in neither `CORPORA` nor `names`."""
