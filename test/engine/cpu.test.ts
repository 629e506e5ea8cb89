import { testEngine } from '../contract/engine.ts';

await testEngine('cpu');
