"""A recording made by hand with several types of units, shields, healing and a death: three frames in a walled room."""

FIELDS = ["team", "type", "x", "y", "hp", "shield", "cooldown", "alive", "energy"]
KINDS = [
    {"name": "marauder", "mark": "Ma", "radius": 0.5625, "heals": False},
    {"name": "medivac", "mark": "Me", "radius": 0.75, "heals": True},
    {"name": "zealot", "mark": "Z", "radius": 0.5, "heals": False},
    {"name": "colossus", "mark": "C", "radius": 1.0, "heals": False},
]
TERRAIN = ["#" * 32 if not 4 <= y < 20 else "####" + "." * 20 + "########" for y in range(32)]
TERRAIN[11] = "####" + "." * 8 + "####" + "." * 8 + "########"


def mixed():
    """Two marauders and a medivac against a zealot and a colossus; the zealot dies in the second step."""
    first = [
        [0, 0, 8, 10, 125, 0, 0, 1, 0],
        [0, 0, 8, 13, 125, 0, 4.5, 1, 0],
        [0, 1, 6.5, 11.5, 150, 0, 0, 1, 50],
        [1, 2, 11, 10, 100, 50, 0, 1, 0],
        [1, 3, 14, 14, 200, 150, 0, 1, 0],
    ]
    second = [
        [0, 0, 8, 10, 97, 0, 20, 1, 0],
        [0, 0, 8.5, 13, 104.5, 0, 0, 1, 0],
        [0, 1, 7, 12, 150, 0, 0, 1, 48],
        [1, 2, 9.25, 10, 30, 0, 15, 1, 0],
        [1, 3, 13.5, 14, 200, 131, 30, 1, 0],
    ]
    third = [[*row] for row in second]
    third[3] = [1, 2, 9.25, 10, 0, 0, 0, 0, 0]
    law = [[0, 0, 0, 0, 0.25, 0, 0.75, 0], [0, 0, 0, 0, 0.5, 0, 0, 0.5], [0, 0.125, 0, 0, 0, 0, 0, 0.875]]
    frames = [
        {"units": first, "reward": 0, "actions": [6, 7, 7], "probabilities": law},
        {"units": second, "reward": 1.5, "actions": [6, 4, 6], "probabilities": law},
        {"units": third, "reward": 4, "actions": None, "probabilities": None},
    ]
    return {
        "format": "qcmarl replay",
        "version": 1,
        "env": "skirmish:made_up",
        "policy": "by hand </script><b>",
        "seed": 3,
        "seconds_per_step": 0.5,
        "sight": 9,
        "shooting_range": 6,
        "terrain": TERRAIN,
        "kinds": KINDS,
        "fields": [*FIELDS],
        "actions": ["no-op", "stop", "north", "south", "east", "west", "target 0", "target 1"],
        "n_agents": 3,
        "n_enemies": 2,
        "episodes": [{"outcome": "time limit", "return": 5.5, "length": 2, "frames": frames}],
    }


def with_targets():
    """The same, from an environment that tells whom each unit aims at: the colossus at nobody, then at A0."""
    made = mixed()
    made["fields"].append("target")
    targets = [[3, 4, 1, 1, -1], [3, 4, 0, 1, 0], [-1] * 5]
    for frame, column in zip(made["episodes"][0]["frames"], targets, strict=True):
        for row, target in zip(frame["units"], column, strict=True):
            row.append(target)
    return made
