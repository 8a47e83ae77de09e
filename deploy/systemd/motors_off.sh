#!/bin/sh
# Drives the motor pins low without Python, after the daemon ended in whatever way. Pins: /etc/oxturn/motor_pins, one
# line of GPIO numbers; without that file the motors hang on a serial board, which stops by itself.
[ -r /etc/oxturn/motor_pins ] || exit 0
chip=${OXTURN_GPIO_CHIP:-gpiochip0}
arguments=
for pin in $(cat /etc/oxturn/motor_pins); do
    arguments="$arguments $pin=0"
done
[ -n "$arguments" ] || exit 0
# shellcheck disable=SC2086
if gpioset --version 2>/dev/null | grep -q 'v2'; then
    exec timeout 1 gpioset -t0 -c "$chip" $arguments
fi
exec timeout 1 gpioset "$chip" $arguments
