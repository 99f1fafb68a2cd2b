# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Completion of commands and options in shells: ``graspd --print-completion bash``."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from omni_graspd.cli.commands import COMMANDS, SCENE_RENDER, Command, children
from omni_graspd.cli.generate_options import generate_options
from omni_graspd.cli.options import Option, all_flags, command_options
from omni_graspd.cli.run_command import takes_config
from omni_graspd.cli.short_forms import short_form
from omni_graspd.errors import GraspdError


def completion_script(shell: str) -> str:
    """Return what a shell has to read to complete the command line.

    Raises:
        GraspdError: If the shell is not known.
    """
    if shell not in _SCRIPTS:
        raise GraspdError(
            f"expected --print-completion {', '.join(_SCRIPTS)}, got {shell!r}; for example: "
            'eval "$(graspd --print-completion bash)" in ~/.bashrc'
        )
    return _SCRIPTS[shell]()


def _bash() -> str:
    cases = "\n".join(f'    "{name}") words="{" ".join(words)}" ;;' for name, words in _words())
    groups = "|".join(command.name for command in COMMANDS if not command.function)
    values = "\n".join(f'    "{key}") words="{" ".join(choices)}" ;;' for key, choices in _choices())
    return f"""\
# For ~/.bashrc: eval "$(graspd --print-completion bash)"
_graspd() {{
  local words="" command="" at=1 current="${{COMP_WORDS[COMP_CWORD]}}" previous="${{COMP_WORDS[COMP_CWORD - 1]}}"
  if (( COMP_CWORD > 1 )); then command="${{COMP_WORDS[1]}}"; fi
  case "$command" in
    {groups}) if (( COMP_CWORD > 2 )); then command="$command ${{COMP_WORDS[2]}}"; fi ;;
  esac
  case "$command" in
{cases}
  esac
  case "$command:$previous" in
{values}
  esac
  COMPREPLY=( $(compgen -W "$words" -- "$current") )
  if [[ "$current" != -* && "$command" && ${{#COMPREPLY[@]}} == 0 ]]; then COMPREPLY=( $(compgen -f -- "$current") ); fi
}}
complete -o filenames -F _graspd graspd
"""


def _zsh() -> str:
    bash = _bash().partition("\n")[2]
    load = "autoload -U +X compinit && compinit\nautoload -U +X bashcompinit && bashcompinit"
    return f'# For ~/.zshrc: eval "$(graspd --print-completion zsh)"\n{load}\n{bash}'


def _fish() -> str:
    lines = ["# In ~/.config/fish/completions/graspd.fish: graspd --print-completion fish > that file"]
    top = " ".join(command.name for command in children(Command("", "")))
    for command in COMMANDS:
        group, _, name = command.name.rpartition(" ")
        seen = f"__fish_seen_subcommand_from {group}" if group else f"not __fish_seen_subcommand_from {top}"
        lines.append(f"complete -c graspd -f -n '{seen}' -a {name} -d '{_quoted(command.summary)}'")
    for command in COMMANDS:
        if command.function:
            seen = "; and ".join(f"__fish_seen_subcommand_from {word}" for word in command.name.split())
            lines += [f"complete -c graspd -n '{seen}' {line}" for line in _fish_options(_options(command))]
    return "\n".join(lines) + "\n"


def _fish_options(options: Sequence[Option]) -> Iterator[str]:
    for option in options:
        if option.is_positional:
            continue
        about = f"-d '{_quoted(option.text)}'"
        values = f" -x -a '{' '.join(option.choices)}'" if option.choices else " -r" if option.metavar else ""
        for flag in _with_short_forms(option.flags):
            yield f"-l {flag.removeprefix('--')}{values} {about}"


def _with_short_forms(flags: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(name for flag in flags for name in (short_form(flag), flag)))


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace("'", "\\'")


def _options(command: Command) -> tuple[Option, ...]:
    function = command.load()
    if takes_config(function):
        extra = command_options(SCENE_RENDER.load()) if command.name == SCENE_RENDER.name else ()
        found = (*generate_options(), *extra)
    else:
        found = command_options(function)
    return tuple({option.name: option for option in found}.values())


def _words() -> Iterator[tuple[str, list[str]]]:
    """Yield commands and what may stand behind them."""
    yield (
        "",
        [
            *(command.name for command in children(Command("", ""))),
            "--help",
            "--quiet",
            "--verbose",
            "--log",
            "--version",
            "--print-completion",
        ],
    )
    for command in COMMANDS:
        if not command.function:
            yield command.name, [child.name.rpartition(" ")[2] for child in children(command)]
            continue
        yield command.name, [*_with_short_forms(all_flags(_options(command))), "--help", "--help-all"]


def _choices() -> Iterator[tuple[str, list[str]]]:
    """Yield command and option, with a colon between them, and the values of the option."""
    for command in COMMANDS:
        for option in _options(command) if command.function else ():
            if option.choices:
                for flag in _with_short_forms([option.flag]):
                    yield f"{command.name}:{flag}", list(option.choices)


_SCRIPTS: dict[str, Callable[[], str]] = {"bash": _bash, "zsh": _zsh, "fish": _fish}
