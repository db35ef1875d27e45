"""The scripts that make shells ask ``gru-nlp completion``; each goes where its first lines say."""

BASH = r"""# gru-nlp in bash: source <(gru-nlp completion bash), in ~/.bashrc to keep it
_gru_nlp() {
    local treated line first=1
    COMPREPLY=()
    while IFS= read -r line; do
        if [[ $first ]]; then
            treated=$line first=
        else
            COMPREPLY+=("$line")
        fi
    done < <("$1" completion --line "${COMP_LINE:0:COMP_POINT}" "$2" 2>/dev/null)
    if type compopt &>/dev/null; then
        [[ $treated == nospace* ]] && compopt -o nospace
        [[ $treated == *files ]] && compopt -o filenames
    fi
    return 0
}
complete -F _gru_nlp gru-nlp
"""

ZSH = r"""#compdef gru-nlp
# gru-nlp in zsh: gru-nlp completion zsh > a folder of your $fpath/_gru-nlp
# or, after compinit in ~/.zshrc: source <(gru-nlp completion zsh)
_gru_nlp() {
    local word meaning state
    local -a open closed shown_open shown_closed
    while IFS=$'\t' read -r word meaning state; do
        if [[ -z $state ]]; then
            state=$meaning meaning=
        fi
        if [[ $state == open ]]; then
            open+=("$word") shown_open+=("$word${meaning:+  -- $meaning}")
        else
            closed+=("$word") shown_closed+=("$word${meaning:+  -- $meaning}")
        fi
    done < <("${(Q)words[1]}" completion --words "${(@Q)words[2,CURRENT-1]}" "${(Q)PREFIX}" 2>/dev/null)
    (( $#open )) && compadd -l -S '' -d shown_open -a open
    (( $#closed )) && compadd -l -d shown_closed -a closed
    (( $#open + $#closed ))
}
if [[ $funcstack[1] == _gru-nlp ]]; then
    _gru_nlp "$@"
else
    compdef _gru_nlp gru-nlp
fi
"""

FISH = r"""# gru-nlp in fish: gru-nlp completion fish > ~/.config/fish/completions/gru-nlp.fish
function __gru_nlp
    set -l before (commandline -opc)
    set -l current (commandline -ct | string unescape)
    $before[1] completion --words $before[2..-1] "$current" 2>/dev/null | string replace -r '\t\w+$' ''
end
complete -c gru-nlp -f -a '(__gru_nlp)'
"""

SCRIPTS = {"bash": BASH, "zsh": ZSH, "fish": FISH}
