import { testEngine } from '../contract/engine.ts';

await testEngine('wasm');
