import { testEngine } from '../contract/engine.ts';

await testEngine('native');
