#!/bin/sh
# Playwright starts this in Chromium's place: the browser of a phone, in the phone's own network.
exec ip netns exec "$KSWIFI_NAMESPACE" /usr/bin/chromium "$@"
