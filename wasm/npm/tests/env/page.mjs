// A page: what is common to the plain and the bundled one.

export const page = {
  environment: 'page',
  garble: (worker) => worker.dispatchEvent(new MessageEvent('messageerror')),
  listenForUncaught(handle) {
    const listener = (event) => {
      if (handle(event.error)) {
        event.preventDefault();
      }
    };
    addEventListener('error', listener);
    return () => removeEventListener('error', listener);
  },
};
