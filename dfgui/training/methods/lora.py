"""LoRA: the model is frozen, and small matrices beside its layers learn. models/backends puts them there."""

ORDER = 10
TITLE = "LoRA adapter"
TELLS = "trains a small adapter and fits nearly anywhere"
LEARNS = "LoRA: a small adapter"
LEARNING_RATE = 2e-4  # of DeepFabric's "Training Frameworks" page, as that of a full fine-tune
