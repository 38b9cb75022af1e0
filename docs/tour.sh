#!/usr/bin/env bash
# A tour of the shell and of the live view in tmux, on a practice fleet. See tour.md.
#
#     bash docs/tour.sh            shows each picture when the program has got there, and ends
#     TOUR_PAUSE_S=3 bash docs/tour.sh    leaves time to attach and look: tmux -L bitstour attach
set -eu

bits="${BITSSHELL:-bitsshell}"
pause="${TOUR_PAUSE_S:-0}"
folder="$(mktemp -d)"
password="tour-$$-$RANDOM"

tm() { tmux -L bitstour "$@"; }
screen() { tm capture-pane -p -t tour; }
keys() { tm send-keys -t tour "$@"; }

finish() {
    tm kill-server 2>/dev/null || true
    kill "$fleet" 2>/dev/null || true
    rm -rf "$folder"
}

# Wait until a text is on the screen; say so and end the tour where it does not come.
see() {
    local tries=0
    until screen | grep -qF -- "$1"; do
        tries=$((tries + 1))
        if [ "$tries" -gt 150 ]; then
            screen
            echo "tour: waited for: $1" >&2
            exit 1
        fi
        sleep 0.2
    done
}

picture() {
    echo
    echo "=== $1"
    screen | sed -e 's/[[:space:]]*$//' | cat -s
    sleep "$pause"
}

BITSSHELL_PASSWORD="$password" "$bits" practice --hosts 2 --pace 400000 --json \
    >"$folder/fleet.json" </dev/null &
fleet=$!
trap finish EXIT
until [ -s "$folder/fleet.json" ]; do sleep 0.1; done
read -r user first second files < <(python3 - "$folder/fleet.json" <<'PYTHON'
import json, sys
fleet = json.load(open(sys.argv[1]))
one, two = fleet["hosts"]
print(one["username"], one["endpoint"], two["endpoint"], fleet["files"])
PYTHON
)

tm -f /dev/null new-session -d -s tour -x 124 -y 30 \
    env XDG_STATE_HOME="$folder/state" XDG_CONFIG_HOME="$folder/config" \
    BITSSHELL_PASSWORD="$password" PAGER= LANG=C.UTF-8 "$bits"

see "bits>"
keys "use $first $second --user $user --auth ntlm" Enter
see "connected"
picture "1. Choose hosts. The password is taken from the environment here, else it is asked for."

keys "create ${files}image.iso 'C:\\in\\image.iso' --name image --suspended --yes" Enter
see "image  SUSPENDED"
keys "create ${files}missing.bin 'C:\\in\\lost.bin' --name lost --yes" Enter
see "lost"
keys "jobs" Enter
see "4 jobs on 2 hosts"
picture "2. Two jobs on each host: one to watch, and one whose file is not there."

keys "watch --interval 0.5" Enter
see "? help"
picture "3. watch takes the whole screen."

keys "/" "image" Enter
see "filter: image"
keys a r
see "[y/N]"
picture "4. Filter, mark all that are shown, resume: two jobs at once are asked about."

keys y Enter
see "TRANSFERRING"
see "KiB/s"
sleep 2
picture "5. Bars, rates and sparklines."

keys Escape Escape e Enter
see "BG_E_HTTP_ERROR_404"
picture "6. Errors only, and what the error of one job means."

keys Escape Escape x
see "[y/N]"
picture "7. Cancel asks, and says what is lost."

keys n Enter
see "nothing was sent"
keys "?"
see "any key goes back"
picture "8. Help."

keys x q
see "stopped, as of"
see "hosts>"
picture "9. q leaves; the last table stays in the scrollback, and the prompt is there."

keys "cancel '*' --what-if" Enter
see "temporary"
picture "10. What a change would do, without doing it."

keys "exit" Enter
