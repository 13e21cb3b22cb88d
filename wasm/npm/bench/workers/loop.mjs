// The least that coalesced messages can cost: answers with the ids that it was asked for.
addEventListener('message', ({ data }) => postMessage(data));
