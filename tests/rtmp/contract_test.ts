import { SimulatedDoor } from "./simulated.ts";
import { testDoor } from "../doors/contract.ts";

testDoor({ protocol: "rtmp", serve: (steps) => new SimulatedDoor(steps) });
