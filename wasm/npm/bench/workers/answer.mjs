// Answers with what it was asked: the id of a task, or the ids of several.
addEventListener('message', ({ data }) => postMessage(data));
