# shellcheck shell=sh
# Time budget, decimal figures, records and the page of results. A POSIX shell and coreutils are all that is needed. run.sh sources this
# file; tests/device/test_kit.sh calls the functions.

# seconds_of TIME: 14 and 14m are minutes, 840s is seconds. Status 1: no such time.
seconds_of() {
    case $1 in
    *s) number=${1%s} unit=1 ;;
    *m) number=${1%m} unit=60 ;;
    *) number=$1 unit=60 ;;
    esac
    case $number in
    '' | *[!0-9]* | 0* | ?????*) return 1 ;;
    esac
    echo $((number * unit))
}

# allowance LIMIT ELAPSED TOTAL PERCENT: the seconds that an item may take that must end before PERCENT of the TOTAL: at most LIMIT. 0: not
# worth starting.
allowance() {
    left=$(($3 * $4 / 100 - $2))
    [ "$left" -le "$1" ] || left=$1
    [ "$left" -ge 5 ] || left=0
    echo "$left"
}

# hundredths NUMBER: 12.3 gives 1230. Status 1: not a plain decimal number.
hundredths() {
    case $1 in
    '' | *[!0-9.]* | *.*.* | .*) return 1 ;;
    *.*) fraction=${1#*.}00 ;;
    *) fraction=00 ;;
    esac
    digits=${1%%.*}${fraction%"${fraction#??}"}
    while [ "${digits#0}" != "$digits" ] && [ ${#digits} -gt 1 ]; do
        digits=${digits#0}
    done
    [ ${#digits} -le 15 ] && echo "$digits"
}

# ratio A B: A/B with two decimals, rounded down; "-" where one is missing or B is 0.
ratio() {
    if above=$(hundredths "$1") && below=$(hundredths "$2") && [ "$below" -gt 0 ]; then
        quotient=$((above * 100 / below))
        printf '%d.%02d\n' $((quotient / 100)) $((quotient % 100))
    else
        echo -
    fi
}

# at_least A B: whether A >= B; a number beats none.
at_least() {
    first=$(hundredths "$1") || return 1
    second=$(hundredths "$2") || return 0
    [ "$first" -ge "$second" ]
}

# last_line FILE: the last line that says something, without control characters, cut to 110.
last_line() {
    found=
    tail -n 60 "$1" 2>/dev/null | tr '\r' '\n' | tr -d '\000-\010\013-\037' | {
        while IFS= read -r line || [ -n "$line" ]; do
            case $line in '' | Killed | Terminated | Aborted*) ;; *) found=$line ;; esac
        done
        printf '%.110s\n' "$found"
    }
}

# record FILE NAME RESULT SECONDS NOTE
record() {
    printf '%s|%s|%s|%s\n' "$2" "$3" "$4" "$5" >>"$1"
}

# is_recorded FILE NAME
is_recorded() {
    while IFS='|' read -r known _; do
        [ "$known" != "$2" ] || return 0
    done <"$1"
    return 1
}

# outcome STATUS: what an exit status says: of `timeout`, of a program, or 200, which run.sh gives what could not be killed.
outcome() {
    case $1 in
    0) echo passed ;;
    124 | 137) echo 'timed out' ;;
    200) echo hung ;;
    *) echo failed ;;
    esac
}

# count FILE RESULT: how many records say so.
count() {
    number=0
    while IFS='|' read -r _ result _; do
        [ "$result" != "$2" ] || number=$((number + 1))
    done <"$1"
    echo $number
}

# record_table FILE
record_table() {
    printf '%-24s %-10s %8s  %s\n' item result seconds note
    while IFS='|' read -r name result seconds note; do
        printf '%-24s %-10s %8s  %s\n' "$name" "$result" "$seconds" "$note"
    done <"$1"
}

# step_speed FILE MODE: images/s of a mode in what `camcl bench step` printed: mode, ms per step, images/s, bytes.
step_speed() {
    [ -r "$1" ] || return 1
    while read -r mode _ speed _; do
        if [ "$mode" = "$2" ] && hundredths "$speed" >/dev/null; then
            echo "$speed"
            return 0
        fi
    done <"$1"
    return 1
}

# torch_best FILE MODE PRECISION: speed and variant of PyTorch's fastest. Lines: torch MODE PRECISION FORMAT ENGINE MS IMAGES/S BYTES.
torch_best() {
    [ -r "$1" ] || return 1
    best=
    variant=
    while read -r word mode precision format engine _ speed _; do
        if [ "$word/$mode/$precision" = "torch/$2/$3" ] && at_least "$speed" "$best"; then
            best=$speed
            variant=$format,$engine
        fi
    done <"$1"
    [ -n "$best" ] && echo "$best $variant"
}

# step_table BEFORE TUNED TORCH: three outputs, of which any may be missing; a row per mode. Ratio: the faster camcl over PyTorch.
step_table() {
    printf '  %-13s %10s %10s %10s %7s %10s %7s  %s\n' step camcl tuned 'torch fp32' ratio 'torch tf32' ratio 'fastest PyTorch (fp32; tf32)'
    for row in supervised pseudo-label gradcam infer; do
        before=$(step_speed "$1" $row) || before=-
        tuned=$(step_speed "$2" $row) || tuned=-
        ours=$before
        ! at_least "$tuned" "$before" || ours=$tuned
        full=$(torch_best "$3" $row fp32) || full=-
        short=$(torch_best "$3" $row tf32) || short=-
        printf '  %-13s %10s %10s %10s %7s %10s %7s  %s\n' $row "$before" "$tuned" "${full%% *}" "$(ratio "$ours" "${full%% *}")" \
            "${short%% *}" "$(ratio "$ours" "${short%% *}")" "${full#* }; ${short#* }"
    done
}
