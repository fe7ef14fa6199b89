# Prints the value of Streamlit's --server.headless: "false" where a browser window can be opened, "true" where none can.
if [ -z "${CI:-}" ] && { [ "$(uname)" = Darwin ] || [ -n "${DISPLAY:-}${WAYLAND_DISPLAY:-}" ]; }; then
    echo false
else
    echo true
fi
