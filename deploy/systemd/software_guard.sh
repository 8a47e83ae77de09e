#!/bin/sh
# Before every start of the daemon, without Python: software that did not confirm itself in so many starts is left for
# the one before. Argument: the folder `software` of the robot's home; see deploy/software_trial.py for what lies there.
# Whatever happens here, the daemon is started afterwards from `current`.
max_starts=3
cd "$1" || exit 0

whole() { case $1 in slots/A | slots/B) [ -f "$1/complete" ] && [ -x "$1/venv/bin/python" ] ;; *) false ;; esac; }
say() { echo "software guard: $*" >&2; }
go_to() {
    rm -f .current.new && ln -s "$1" .current.new && mv -T .current.new current && sync . && say "current is $1"
}

current=$(readlink current)
fallback=$(readlink fallback)

if [ -z "$fallback" ]; then # nothing on trial
    whole "$current" && exit 0
    for slot in slots/A slots/B; do
        if whole "$slot"; then
            say "'$current' is not whole"
            go_to "$slot"
            exit 0
        fi
    done
    say "no slot is whole: run oxturn pi setup"
    exit 0
fi

if [ "$fallback" = "$current" ]; then # went back, and was cut before the trial was forgotten
    rm -f fallback && sync .
    exit 0
fi

starts=$(cat starts 2>/dev/null)
case $starts in '' | *[!0-9]*) starts=0 ;; esac
if [ "$starts" -lt "$max_starts" ] && whole "$current"; then
    echo $((starts + 1)) >.starts.new && sync .starts.new && mv .starts.new starts && sync . && exit 0
    say "starts cannot be counted" # a full disk: rather back than round and round
fi

if whole "$fallback"; then
    say "$current was not confirmed in $starts starts"
    if go_to "$fallback"; then
        rm -f "$current/complete" fallback && sync . "$current"
    fi
elif [ ! -e rollback_failed ]; then
    say "$current was not confirmed in $starts starts, and $fallback is not whole"
    : >rollback_failed && sync .
fi
exit 0
