#!/usr/bin/env bash
# OBS without a screen publishes an empty picture of 320 × 180 and silence:
#
#     tests/peers/obs.sh rtmp://127.0.0.1/live 'cam?token=secret' 30
#
# for 30 seconds, 10 of which it takes to start. It prints what OBS logs of the stream: a refusal, the
# end, each attempt to connect again. Takes obs-studio and xvfb of Debian; no test runs it.
set -eu
server=$1 key=$2 seconds=${3:-30}
home=$(mktemp -d)
config=$home/.config/obs-studio
mkdir -p "$config/basic/profiles/P" "$config/basic/scenes"
cat >"$config/global.ini" <<END
[General]
FirstRun=true
EnableAutoUpdates=false
[Basic]
Profile=P
ProfileDir=P
SceneCollection=S
SceneCollectionFile=S
END
cat >"$config/basic/profiles/P/basic.ini" <<END
[General]
Name=P
[Video]
BaseCX=320
BaseCY=180
OutputCX=320
OutputCY=180
FPSCommon=10
[Output]
Mode=Simple
[SimpleOutput]
StreamEncoder=x264
VBitrate=300
Preset=ultrafast
END
cat >"$config/basic/profiles/P/service.json" <<END
{"type": "rtmp_custom", "settings": {"server": "$server", "key": "$key", "use_auth": false}}
END
cat >"$config/basic/scenes/S.json" <<END
{"name": "S", "current_scene": "A", "current_program_scene": "A", "scene_order": [{"name": "A"}],
 "sources": [{"id": "scene", "name": "A", "settings": {"items": []}}]}
END

coproc SCREEN { exec Xvfb -displayfd 1 -screen 0 1280x720x24 +extension GLX -nolisten tcp 2>"$home/xvfb.log"; }
screen=$SCREEN_PID
trap 'kill "$screen"; rm -rf "$home"' EXIT
read -r display <&"${SCREEN[0]}"
# OBS does not end by SIGINT: it is killed
HOME=$home XDG_RUNTIME_DIR=$home DISPLAY=:$display LIBGL_ALWAYS_SOFTWARE=1 QT_QPA_PLATFORM=xcb \
  timeout -k 3 -s INT "$seconds" obs --multi --disable-updater --collection S --profile P --startstreaming 2>&1 |
  grep --line-buffered -E 'rtmp stream|Streaming St|Reconnect|^NetStream' || true
