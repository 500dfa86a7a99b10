// Just WebSocket, nothing else: the four events, one sentence sent, and what comes back.

const scheme = location.protocol === "https:" ? "wss:" : "ws:";
const socket = new WebSocket(`${scheme}//${location.host}/echo`);

function show(...words) {
  console.log(...words);
  document.getElementById("log").append(words.join(" "), document.createElement("br"));
}

socket.onopen = () => {
  show("open:", socket.url);
  socket.send("Upstream and downstream at once: hello, server!");
};
socket.onmessage = (event) => show("message:", event.data);
socket.onerror = () => show("error: the browser does not say why; the close event says more");
socket.onclose = (event) => show("close:", event.code, event.reason, event.wasClean ? "clean" : "not clean");
