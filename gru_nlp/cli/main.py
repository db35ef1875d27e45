"""The console script: choose a command; nothing heavy is imported before one is chosen."""

import sys

from gru_nlp import __version__, console
from gru_nlp.cli.surroundings import USER_ERROR, complain, output_errors, settle
from gru_nlp.cli.voice import FLAGS, speaking, taken
from gru_nlp.errors import UserError, nearest

COMMANDS = {
    "train": "train a model on your own text, or on the embedded sample",
    "distill": "train a small translator on what others, larger or several, translate",
    "evaluate": "score a checkpoint on its own data, or on other data of the same shape",
    "compare": "say whether one checkpoint is really better than another on the same data, and where they differ",
    "predict": "label new text: an argument after --, a file, standard input, or at a prompt",
    "translate": "translate text: an argument after --, a file, standard input, or at a prompt",
    "generate": "continue text with a language model: after --, a file or standard input, or from nothing",
    "speak": "make sound of text: an argument after --, a file or standard input, a WAV file a line",
    "serve": "answer requests over HTTP, and show a page to try a model out",
    "info": "show what a checkpoint holds: task, labels, sizes, scores, config",
    "export": "write a checkpoint as a folder that answers without torch: by ONNX Runtime",
}
#: Commands that take no options, and their arguments.
TOOLS = {"completion": ("bash", "zsh", "fish"), "cache": ("clear",)}
TOLD = {
    "completion": "print a script that completes commands, options and choices in a shell: bash, zsh or fish",
    "cache": "show where copies of the texts that were read lie, and how large they are; clear removes them",
}

NOTES = {
    "cache": """What train and evaluate read is copied into tables: in the folder gru_nlp of HF_DATASETS_CACHE, which is
~/.cache/huggingface/datasets unless the environment says otherwise, or of data.cache_dir. Once a new table makes them
more than 5 gigabytes, those that were not used for longest are removed; GRU_NLP_CACHE_GB in the environment sets
another number. A table that a running program uses stays. The graphs that precision=int8 makes of a checkpoint lie
there too, and count.""",
}

USAGE = """gru-nlp {version}: small recurrent text models on your own text

usage: gru-nlp <command> [option=value ...] [-- text]

commands:
{commands}
{tools}

  gru-nlp train                                    learn from the embedded sample
  gru-nlp train data=csv data.train=a.csv          learn from your own file
  gru-nlp predict checkpoint=<run> -- not bad      label a text
  gru-nlp generate checkpoint=<run> -- One morning continue a text
  gru-nlp <command> --help                         its options and choices
  gru-nlp <command> --help <group>                 each choice of a group, with its options
  source <(gru-nlp completion bash)                complete them by the tabulator key (in zsh and fish too)
"""


def usage() -> str:
    """Return the text of ``gru-nlp --help``."""
    commands = "\n".join(f"  {name:<10} {what}" for name, what in COMMANDS.items())
    tools = "\n".join(f"  {name:<10} {what}" for name, what in TOLD.items())
    return USAGE.format(version=__version__, commands=commands, tools=tools)


def main(arguments: list[str] | None = None) -> int:
    """Run a command; return the exit code: 0 done, 2 a mistake of the user's, 1 a bug, 130 interrupted."""
    codes: list[int] = []
    try:
        settle()
        console.begin()
        with output_errors(codes):
            codes.append(run(sys.argv[1:] if arguments is None else arguments))
    except UserError as error:
        complain(str(error))
        return USER_ERROR
    return codes[-1]


def run(given: list[str]) -> int:
    """Choose the command and run it; return the exit code.

    Raises:
        UserError: there is no such command, or a mistake in what it was given.
    """
    if not given or given[0] in ("-h", "--help", "help"):
        print(usage())
        return 0
    if given[0] in ("-V", "--version"):
        print(f"gru-nlp {__version__}")
        return 0
    command = given[0]
    if command in TOOLS:
        return tool(command, given[1:])
    if command not in COMMANDS:
        if command in FLAGS:
            raise UserError(f"{command} comes after the command: gru-nlp <command> {command}")
        known = [*COMMANDS, *TOOLS]
        raise UserError(f"unknown command '{command}': choose from {', '.join(known)}{nearest(command, known)}")
    arguments, voice = taken(given[1:])
    options = arguments[: arguments.index("--")] if "--" in arguments else arguments
    if "--help" in options or "-h" in options:
        from gru_nlp.cli.help import explain

        print(explain(command, options))
        return 0
    from gru_nlp.cli.shell import run_command

    with speaking(voice):
        return run_command(command, arguments)


def tool(command: str, arguments: list[str]) -> int:
    """Run a command that takes no options; return the exit code.

    Raises:
        UserError: it does not know an argument.
    """
    if "--help" in arguments or "-h" in arguments:
        usage = f"gru-nlp {command}: {TOLD[command]}\n\nusage: gru-nlp {command} [{'|'.join(TOOLS[command])}]"
        print(f"{usage}\n\n{NOTES[command]}" if command in NOTES else usage)
        return 0
    if command == "cache":
        from gru_nlp.cli.cache import run as run_cache

        arguments, voice = taken(arguments)
        with speaking(voice):
            run_cache(arguments)
        return 0
    print("\n".join(completion_lines(arguments)))
    return 0


def completion_lines(arguments: list[str]) -> list[str]:
    """Return a shell's script, or what a shell asks for."""
    from gru_nlp.cli.completion import answer

    shell, found = answer(arguments, {**COMMANDS, **TOLD}, TOOLS)
    if not shell:
        return found
    from gru_nlp.cli.completion_scripts import SCRIPTS

    return [SCRIPTS[shell].rstrip()]
