import { SimulatedDoor } from "../rtmp/simulated.ts";
import { testDoor } from "./contract.ts";

testDoor({ protocol: "rtmp", serve: (steps) => new SimulatedDoor(steps) });
