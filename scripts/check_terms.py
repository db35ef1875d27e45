"""Whether a translator from English to German says the terms of a glossary, and what becomes of the rest.

Usage: python scripts/check_terms.py checkpoint=<run> source=<file> reference=<file> [sentences=200] [seed=1]

Of a test set, one sentence a line, those are taken whose source has one of the words below, and whose reference has its
usual translation. The glossary says it otherwise, and so does the reference that BLEU is then counted by: if the rest
of a sentence were translated as before, BLEU would stay. Of sentences without a term no character may change.
"""

import random
import re
import sys
import time

from check_copies import lines
from sacrebleu.metrics.bleu import BLEU

from gru_nlp.predictor import Predictor
from gru_nlp.text.terms import Terms, Wishes, holds

#: English: the usual German word, and what it shall be; of one gender, so that nothing else has to change.
GLOSSARY = {
    "dog": ("Hund", "Vierbeiner"),
    "man": ("Mann", "Kerl"),
    "woman": ("Frau", "Dame"),
    "beach": ("Strand", "Meeressaum"),
    "boy": ("Junge", "Bub"),
    "street": ("Straße", "Allee"),
    "bike": ("Fahrrad", "Zweirad"),
    "shirt": ("Shirt", "Oberteil"),
    "grass": ("Gras", "Grün"),
    "ball": ("Ball", "Lederball"),
}


def main(arguments: dict[str, str]) -> None:
    """Translate with the glossary and without, and tell."""
    predictor = Predictor.from_checkpoint(arguments["checkpoint"])
    pairs = list(zip(lines(arguments["source"]), lines(arguments["reference"]), strict=True))
    random.Random(int(arguments.get("seed", 1))).shuffle(pairs)
    terms = Terms({source: wanted for source, (_, wanted) in GLOSSARY.items()})
    usual = {wanted: before for before, wanted in GLOSSARY.values()}
    chosen, others, references = [], [], []
    for source, reference in pairs:
        said = [item.said for item in terms.found(source)]
        if not said:
            others.append(source)
        elif all(holds(reference, usual[one]) for one in said) and len(chosen) < int(arguments.get("sentences", 200)):
            chosen.append((source, said))
            references.append(reference)
    sources = [source for source, _ in chosen]
    free = [record["translation"] for record in predictor(sources)]
    begun = time.process_time()
    forced = [record["translation"] for record in predictor(sources, wishes=Wishes(terms))]
    seconds = time.process_time() - begun
    kept = sum(all(holds(text, one) for one in said) for text, (_, said) in zip(forced, chosen, strict=True))
    print(
        f"{kept} of {len(chosen)} sentences have their terms ({100 * kept / len(chosen):.1f} %), {seconds:.1f} s of CPU"
    )
    swapped = dict(GLOSSARY.values())
    changed = [
        re.sub("|".join(rf"\b{usual[one]}\b" for one in said), lambda found: swapped[found[0]], reference)
        for reference, (_, said) in zip(references, chosen, strict=True)
    ]
    before, after = (BLEU().corpus_score(*both).score for both in ((free, [references]), (forced, [changed])))
    print(f"BLEU of them {before:.2f} without terms, {after:.2f} with, by references that say these")
    spared = others[:100]
    same = predictor(spared) == predictor(spared, wishes=Wishes(terms))
    print(f"{len(spared)} sentences without a term: {'the same records' if same else 'other records'}")
    for one, text in list(zip(sources, forced, strict=True))[:5]:
        print(f"  {one} -> {text}")


if __name__ == "__main__":
    main(dict(argument.split("=", 1) for argument in sys.argv[1:]))
