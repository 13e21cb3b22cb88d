import { expose } from 'comlink';

expose({ noop() {} });
