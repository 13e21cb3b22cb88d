// What an app of ES modules needs: no Babel, which would make CommonJS of them. `NODE_OPTIONS=--experimental-vm-modules` does the rest.
export default { transform: {} };
