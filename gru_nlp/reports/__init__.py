"""What a person learns of a model beside its scores: how sure they are, and where it fails."""
