import { expose } from 'quillwork-worker';

expose({ noop() {} });
